"""The launcher between the sweeper and the one that the user chose."""

import collections
from collections.abc import Iterable, Mapping, Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.launching.left_behind import left_behind
from hydra_callback_kit.launching.numbers import Numbers
from hydra_callback_kit.launching.policy import Batch, Next, Policy, Round
from hydra_callback_kit.launching.record import record_launched


class Conductor(Launcher):
    """Starts what its policies let start, by the user's launcher, and puts on record what that is.

    The sweeper gets an answer for each job that it asks for. Where no policy objects, the user's launcher gets exactly what
    the sweeper said.

    Args:
        launcher: the user's launcher, set up.
        policies: what decides; asked in this order.
        config: that of `on_multirun_start`.
    """

    def __init__(self, launcher: Launcher, policies: Iterable[Policy], config: DictConfig) -> None:
        self._launcher = launcher
        self._policies = tuple(policies)
        self._config = config

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Sets the user's launcher up again."""
        self._launcher.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Starts a batch of jobs, and returns when there is nothing left to be started of it."""
        asked = {initial_job_idx + place: overrides for place, overrides in enumerate(job_overrides)}
        numbers: dict[int, int] = {}
        for policy in self._policies:
            numbers |= policy.numbers({num: overrides for num, overrides in asked.items() if num not in numbers})
        batch = {numbers.get(num, num): overrides for num, overrides in asked.items()}
        answers: dict[int, JobReturn] = {}
        for policy in self._policies:
            answers |= policy.answers({num: overrides for num, overrides in batch.items() if num not in answers})
        left: Batch = {num: overrides for num, overrides in batch.items() if num not in answers}
        if not left and asked:
            return [answers[num] for num in batch]
        as_asked = list(left) == list(asked)
        launches = collections.deque([left])
        while launches:
            left = launches.popleft()
            record_launched(self._config, left)
            launched, returned = self._round(left, initial_job_idx if as_asked else Numbers(left))
            what = self._after(launched)
            if as_asked and what is None:
                return returned  # of whatever type it is: a launcher that does not wait returns nothing
            as_asked = False
            answers |= {num: each for num, each in launched.returned.items() if each is not None}
            if what is not None:
                answers |= what.answers
                launches.extend([what.batch] if what.batch else [])
                launches.extend({num: overrides} for num, overrides in what.alone.items())
        return [answers[num] for num in batch if num in answers]

    def _round(self, batch: Batch, first: int) -> tuple[Round, Sequence[JobReturn]]:
        returned: Sequence[JobReturn] = ()
        error: BaseException | None = None
        handed_over = batch
        for policy in self._policies:
            handed_over = policy.handed_over(handed_over)
        try:
            returned = self._launcher.launch(list(handed_over.values()), first)
        except BaseException as raised:  # noqa: BLE001  it is raised again, unless a policy knows what to do
            error = raised
        known: Mapping[int, JobReturn | None] = dict(zip(batch, returned, strict=False))
        if error is not None:
            error, known = self._left_behind(error, list(batch))
        launched = Round(batch, known, error)
        for policy in self._policies:
            policy.came_home(launched.returned)
        return launched, returned

    def _left_behind(self, error: BaseException, numbers: list[int]) -> tuple[BaseException, Mapping[int, JobReturn | None]]:
        """What is known where the launcher has raised, and what ends the sweep: Ctrl-C may come into the waiting."""
        try:
            patient = any(policy.patient for policy in self._policies) and not _ends_the_sweep(error)
            return error, left_behind(error, numbers, patient=patient)
        except KeyboardInterrupt as interrupt:
            return interrupt, left_behind(error, numbers)

    def _after(self, launched: Round) -> Next | None:
        """What is to be done about the jobs of a round; None if its returns are the answers to all of them."""
        error = launched.error
        if error is not None and _ends_the_sweep(error):
            raise error
        again: dict[int, Sequence[str]] = {}
        alone: dict[int, Sequence[str]] = {}
        answers: dict[int, JobReturn] = {}
        for policy in self._policies:
            left = [num for num in launched.batch if not (num in again or num in alone or num in answers)]
            said = policy.after(_only(left, launched)) if left else None
            if said is not None:
                again |= {num: said.batch[num] for num in left if num in said.batch}
                alone |= {num: said.alone[num] for num in left if num in said.alone}
                answers |= {num: said.answers[num] for num in left if num in said.answers}
        seen_to = (
            num in again or num in alone or num in answers or launched.returned.get(num) is not None
            for num in launched.batch
        )
        if error is not None and not (launched.batch and all(seen_to)):
            raise error
        return Next(again, answers, alone) if again or alone or answers or error is not None else None


def _only(numbers: Sequence[int], launched: Round) -> Round:
    """The part of a round that is these jobs."""
    if len(numbers) == len(launched.batch):
        return launched
    returned = {num: launched.returned[num] for num in numbers if num in launched.returned}
    return Round({num: launched.batch[num] for num in numbers}, returned, launched.error)


def _ends_the_sweep(error: BaseException) -> bool:
    """Whether it is Ctrl-C, or a callback's `abort`."""
    return isinstance(error, KeyboardInterrupt) or getattr(error, "ends_the_sweep", False) is True
