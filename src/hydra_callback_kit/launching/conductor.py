"""The launcher between the sweeper and the one that the user chose."""

from collections.abc import Iterable, Mapping, Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.launching.left_behind import left_behind
from hydra_callback_kit.launching.numbers import Numbers
from hydra_callback_kit.launching.policy import Policy
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
        """Starts a batch of jobs, and returns when the user's launcher does."""
        batch = {initial_job_idx + place: overrides for place, overrides in enumerate(job_overrides)}
        answers: dict[int, JobReturn] = {}
        for policy in self._policies:
            answers |= policy.answers({num: overrides for num, overrides in batch.items() if num not in answers})
        left = {num: overrides for num, overrides in batch.items() if num not in answers}
        if not left:
            return _in_order(batch, answers)
        record_launched(self._config, left)
        try:
            if answers:
                returned = self._launcher.launch(list(left.values()), Numbers(left))
            else:
                returned = self._launcher.launch(job_overrides, initial_job_idx)
        except BaseException as error:
            self._tell_policies(left_behind(error, list(left)))
            raise
        came = dict(zip(left, returned, strict=False))  # a launcher that does not wait returns nothing
        self._tell_policies(came)
        return _in_order(batch, answers | came) if answers else returned

    def _tell_policies(self, came: Mapping[int, JobReturn | None]) -> None:
        for policy in self._policies:
            policy.came_home(came)


def _in_order(batch: Iterable[int], answers: Mapping[int, JobReturn]) -> list[JobReturn]:
    return [answers[num] for num in batch if num in answers]
