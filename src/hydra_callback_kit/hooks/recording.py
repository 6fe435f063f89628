"""What every callback that has hooks does: it keeps the record, so that any one of them is enough for the command line."""

from typing import Any

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.hooks.end_of_run import run_ends, run_starts
from hydra_callback_kit.hooks.guard import never_breaks_the_job
from hydra_callback_kit.hooks.hydra_callback import Callback
from hydra_callback_kit.hooks.recorder import record_job_end, record_job_start


class RecordingCallback(Callback):
    """Records the start and the end of the run or sweep and of each job.

    A subclass overrides the hooks in which it does more, and calls what it overrides. What it does once the run has ended
    belongs into `at_the_end`, which is called also where Hydra calls no end hook.
    """

    @never_breaks_the_job
    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Records the start of the run."""
        run_starts(config, self.at_the_end)

    @never_breaks_the_job
    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Records the start of the sweep."""
        run_starts(config, self.at_the_end)

    @never_breaks_the_job
    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Records the start of the job."""
        record_job_start(config)

    @never_breaks_the_job
    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Records how the job ended."""
        record_job_end(config, job_return)

    @never_breaks_the_job
    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Records the end of the run."""
        run_ends(config, self.at_the_end)

    @never_breaks_the_job
    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Records the end of the sweep."""
        run_ends(config, self.at_the_end)

    def at_the_end(self, config: DictConfig) -> None:
        """Called once in the parent process when the run or sweep has ended, and its end is recorded.

        Args:
            config: that of the hook that started it.
        """
