"""`logging_callback`: what runs, how each job ended, and at the end every job that did not complete."""

import json
import logging
from typing import Any, Final

import hydra
from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_job, identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.end_of_run import run_at_its_end
from hydra_callback_kit.hooks.job_recorder import how_it_ended
from hydra_callback_kit.hooks.parameters import log_level
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.journal.kinds import is_pruned
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.summary import run_summary, unfinished

log = SafeLogger("hydra_callback_kit.logging_callback")

MAX_RETURN_VALUE: Final = 1_000
"""Characters of a return value that are logged."""


class LoggingCallback(RecordingCallback):
    """Logs the start and the end of the run or sweep and of each job, and at a sweep's end every job that did not complete.

    What a job logs goes to the job's own log file too, in whichever process it runs. What is said of a sweep appears on the
    console. Values of secret keys are redacted (see `RedactionCallback`).

    Args:
        level: at which level it logs: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`. Failed jobs, and a summary that
            names some, are logged at `ERROR` at least.
        log_config: whether to log each job's config, resolved, as the job starts.
        log_return_value: whether to log what a job returned, cut after 1,000 characters.
        log_traceback: whether to write a failed job's traceback to the job's log file. Hydra 1.4 does so by itself.

    Raises:
        ParameterError: if `level` is not a level.

    Files:
        `.callbacks/*.jsonl` in the run's output directory or in the sweep directory: the journal (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [logging_callback]
          - _self_

        hydra:
          callbacks:
            logging_callback:
              log_config: true
        ```
    """

    def __init__(
        self, level: str = "INFO", log_config: bool = False, log_return_value: bool = True, log_traceback: bool = True
    ) -> None:
        self.level = log_level("level", level)
        self.log_config = log_config
        self.log_return_value = log_return_value
        self.log_traceback = log_traceback

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Logs where the run writes."""
        notes_of(config)["durations_logged_at"] = self.level
        run = identify_run(config)
        log.log(self.level, "A job runs again that belongs to %s" if run.rerun else "Run starts in %s", run.root)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Logs where the sweep writes."""
        notes_of(config)["durations_logged_at"] = self.level
        run = identify_run(config)
        log.log(self.level, "Sweep goes on in %s" if run.goes_on else "Sweep starts in %s", run.root)

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Logs the job's number, overrides and output directory, and its config if asked."""
        job = identify_job(config)
        log.log(self.level, "Job %d starts: %s (in %s)", job.job_num, wording.overrides(job.overrides), job.output_dir)
        if self.log_config:
            from hydra_callback_kit.configs.app_config import app_config  # noqa: PLC0415  most runs do not log their configs
            from hydra_callback_kit.views.yaml_text import config_text  # noqa: PLC0415  the same

            log.log(self.level, "Job %d has the config\n%s", job.job_num, config_text(*app_config(config)).rstrip())

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Logs the job's status, duration and return value, or its error."""
        end = how_it_ended(config)
        what = f"Job {end.job.job_num} {end.status} after {wording.duration(end.duration_s)}"
        value = job_return._return_value  # noqa: SLF001  `return_value` raises for a failed job
        if end.status == "COMPLETED":
            log.log(self.level, "%s%s", what, self._returned(end.returned))
            return
        if end.status == "RUNNING":
            log.log(self.level, "Job %d goes back into the queue, to run again", end.job.job_num)
            return
        if end.error is not None and is_pruned(end.error.kinds):
            log.log(self.level, "Job %d was pruned after %s", end.job.job_num, wording.duration(end.duration_s))
            return
        level = max(self.level, logging.ERROR)
        log.log(level, "%s%s", what, f": {end.error.headline}" if end.error else "")
        if (
            self.log_traceback
            and end.error
            and end.error.traceback
            and not (_HYDRA_LOGS_TRACEBACKS and issubclass(type(value), Exception))
        ):
            _log_to_file(level, f"Job {end.job.job_num} {end.status}\n{end.error.traceback.rstrip()}")

    def _returned(self, returned: Any) -> str:
        if returned is None or not self.log_return_value:
            return ""
        text = printable(json.dumps(returned, ensure_ascii=False))
        return f": {text}" if len(text) <= MAX_RETURN_VALUE else f": {text[:MAX_RETURN_VALUE]}… ({len(text)} characters)"

    def at_the_end(self, config: DictConfig) -> None:
        """Logs how the run or sweep ended."""
        identity = identify_run(config)
        if identity.rerun:
            return  # what the whole run has come to was said when it ended
        run = run_at_its_end(config)
        if "aborted" in run.facts and not run.jobs:
            return  # nothing has run, and why not was said
        went_wrong = unfinished(run) or run.broken_lines or run.status == "FAILED"
        level = max(self.level, logging.ERROR) if went_wrong else self.level
        log.log(level, "%s", run_summary(run))


_HYDRA_LOGS_TRACEBACKS: Final = not hydra.__version__.startswith("1.3.")


def _log_to_file(level: int, message: str) -> None:
    """Logs to the job's log file alone, as Hydra 1.4 does: on the console Hydra prints the first traceback at the end."""
    files: list[logging.Handler] = [
        handler for handler in logging.getLogger().handlers if isinstance(handler, logging.FileHandler)
    ]
    if files:
        log.log_to(files, level, message)
    else:
        log.log(level, "%s", message)
