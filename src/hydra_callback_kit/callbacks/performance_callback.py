"""`performance_callback`: how long jobs and sweeps take, and what they use."""

import logging
from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks import parameters
from hydra_callback_kit.hooks.end_of_run import run_at_its_end
from hydra_callback_kit.hooks.facts import add_job_facts
from hydra_callback_kit.hooks.job_recorder import how_it_ended
from hydra_callback_kit.hooks.own_files import write_own_file
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.same_files import OwnFile
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.measure.usage import cpu_seconds, peak_rss_bytes
from hydra_callback_kit.views.files import json_text
from hydra_callback_kit.views.performance import performance_summary, performance_text, usage_text

log = SafeLogger("hydra_callback_kit.performance_callback")


class PerformanceCallback(RecordingCallback):
    """Measures each job and sums up the run or sweep, in the log and in a file; the same figures under every launcher.

    The wall time of a job is measured by a monotonic clock, from the start of the job's callbacks to their end. CPU time is
    that of the job's process and of its children that ended during the job. Peak memory is the most resident memory that
    the job's process, or the largest of its ended children, held from its own start until the job's end: where one process
    runs several jobs one after another (the basic launcher, joblib), the figure of a job is never below that of the job
    before it there. Windows tells no peak (null).

    Args:
        level: at which level it logs: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.
        output_file: the summary's name, relative to the run's output directory or the sweep directory, or an absolute path
            in a directory that exists; null for none.

    Raises:
        ParameterError: if `level` is not a level, or no file can be written at `output_file`.

    Files:
        `performance.json` (JSON): `mode`, `total_s`, `jobs_completed`, `jobs_failed`, `jobs_interrupted`, `jobs_running`
        (of a sweep that its jobs outlive), `average_job_s`, `median_job_s`, `p95_job_s`, `min_job_s`, `max_job_s`,
        `slowest_job` (`job_num`, `overrides`, `duration_s`), `cpu_s`, `peak_rss_bytes`, `parallelism` (the jobs' wall times
        over the sweep's), and `jobs`, a list with `job_num`, `status`, `duration_s`, `cpu_s`, `peak_rss_bytes`. What could
        not be measured is null.
        `.callbacks/*.jsonl` in the same directory: the journal (JSON lines).

    Example:
        ```yaml
        defaults:
          - callbacks: [performance_callback]
          - _self_

        hydra:
          callbacks:
            performance_callback:
              output_file: timing/performance.json
        ```
    """

    writes_summaries = True

    def __init__(self, level: str = "INFO", output_file: str | None = "performance.json") -> None:
        self.level = parameters.log_level("level", level)
        self.output_file = None if output_file is None else parameters.output_file("output_file", output_file)

    def files_it_writes(self) -> Sequence[OwnFile]:
        """The summary."""
        return [] if self.output_file is None else [OwnFile(self.output_file, "output_file", "performance.json")]

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Notes what the process has used before the job."""
        notes_of(config)["cpu_before_s"] = cpu_seconds()

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Records what the job has used, and logs it for a job of a sweep."""
        used_s, peak = cpu_seconds(), peak_rss_bytes()
        before_s = notes_of(config).get("cpu_before_s")
        cpu_s = None if before_s is None else used_s - before_s
        end = how_it_ended(config)
        add_job_facts({"cpu_s": cpu_s, "peak_rss_bytes": peak}, config)
        if end.job.run.mode == "MULTIRUN":
            long = not self._is_said(config)
            log.log(self.level, "%s", usage_text(f"Job {end.job.job_num}", end.duration_s, cpu_s, peak, long=long))

    def summary_parameters(self) -> dict[str, Any] | None:
        """What it is built with."""
        if self.output_file is None:
            return None
        return {"level": logging.getLevelName(self.level), "output_file": self.output_file}

    def at_the_end(self, config: DictConfig) -> None:
        """Writes and logs the summary."""
        identity = identify_run(config)
        run = run_at_its_end(config)
        if not run.jobs:
            return  # the run was aborted before a job started: there is nothing to sum up
        if not identity.rerun:
            log.log(self.level, "%s", performance_text(run, long=not self._is_said(config)))
        if self.output_file is not None:
            write_own_file(config, self.output_file, json_text(performance_summary(run)), log)

    def _is_said(self, config: DictConfig) -> bool:
        """Whether `logging_callback` says how long things take, for all who read what is logged here."""
        return bool(notes_of(config).get("durations_logged_at", logging.NOTSET) >= self.level)
