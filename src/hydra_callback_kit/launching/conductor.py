"""The launcher between the sweeper and the one that the user chose."""

from collections.abc import Iterable, Sequence

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
        if not left:
            return [answers[num] for num in batch]
        as_asked = list(left) == list(asked)
        while left:
            record_launched(self._config, left)
            launched, returned = self._round(left, initial_job_idx if as_asked else Numbers(left))
            what = self._after(launched)
            if as_asked and what is None:
                return returned  # of whatever type it is: a launcher that does not wait returns nothing
            answers |= {num: each for num, each in launched.returned.items() if each is not None}
            answers |= what.answers if what is not None else {}
            left, as_asked = what.batch if what is not None else {}, False
        return [answers[num] for num in batch if num in answers]

    def _round(self, batch: Batch, first: int) -> tuple[Round, Sequence[JobReturn]]:
        returned: Sequence[JobReturn] = ()
        error: BaseException | None = None
        try:
            returned = self._launcher.launch(list(batch.values()), first)
        except BaseException as raised:  # noqa: BLE001  it is raised again, unless a policy knows what to do
            error = raised
        launched = Round(
            batch, dict(zip(batch, returned, strict=False)) if error is None else left_behind(error, list(batch)), error
        )
        for policy in self._policies:
            policy.came_home(launched.returned)
        return launched, returned

    def _after(self, launched: Round) -> Next | None:
        """What is to be done about the jobs of a round; None if its returns are the answers to all of them."""
        error = launched.error
        if error is not None and (isinstance(error, KeyboardInterrupt) or getattr(error, "ends_the_sweep", False)):
            raise error
        again: dict[int, Sequence[str]] = {}
        answers: dict[int, JobReturn] = {}
        for policy in self._policies:
            said = policy.after(launched)
            if said is not None:
                seen_to = {*again, *answers}
                again |= {num: overrides for num, overrides in said.batch.items() if num not in seen_to}
                answers |= {num: answer for num, answer in said.answers.items() if num not in seen_to}
        if error is not None and not all(
            num in again or num in answers or launched.returned.get(num) is not None for num in launched.batch
        ):
            raise error
        return Next(again, answers) if again or answers or error is not None else None
