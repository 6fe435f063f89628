"""`failure_limit_callback`: no further job of a sweep once too many have failed."""

import functools
from pathlib import Path
from typing import Any

from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_job
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.counting_failures import count_failures, count_failures_no_more, failures_so_far
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.journal.errors import NOT_LET_START
from hydra_callback_kit.journal.follower import FollowedJob
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.shared_follower import SharedFollower
from hydra_callback_kit.views import wording

log = SafeLogger("hydra_callback_kit.failure_limit_callback")


class FailureLimitCallback(RecordingCallback):
    """Starts no further job of a sweep once so many have failed, counted over all its processes; the exit code is not 0.

    Each job looks, as it starts, how many of the sweep's jobs have failed or were interrupted so far; jobs that run by then
    go on. A job that is not started any more is recorded as `FAILED` by `hydra_callback_kit.AbortRun`, so that
    `hydra-callback-kit rerun` knows it; those after it, where the launcher gives up (the basic one, and joblib on Hydra
    1.3), never start (`rerun --missing`). Jobs that a callback did not let start are not counted, nor those that
    `retry_callback` starts again, nor trials that were pruned (`optuna.TrialPruned`). A job that is run again by `rerun` is
    not refused; a sweep that goes on (`rerun --launcher`) counts from anew.

    Args:
        max_failures: how many jobs must have failed, 1 or more.

    Raises:
        ParameterError: if `max_failures` is less than 1.
        AbortRun: from the start hook of a job, if the limit is reached.

    Files:
        `.callbacks/*.jsonl` in the sweep directory: the journal (JSON lines).
        `.callbacks/<run>.open/` beside it, while the sweep runs: an empty file for each job that runs or has failed, so that
        a job need not ask what became of each of thousands. `.callbacks/<run>.read.json` (JSON), once some have failed and
        jobs have processes of their own (submitit, RQ): what was read of the journal so far. It may be removed at any time.

    Example:
        ```yaml
        defaults:
          - callbacks: [failure_limit_callback]
          - _self_

        hydra:
          callbacks:
            failure_limit_callback:
              max_failures: 3
        ```
    """

    on_every_rank = True  # the others would wait for a rank that does not start

    def __init__(self, max_failures: int = 1) -> None:
        if max_failures < 1:
            raise ParameterError("max_failures", max_failures, "1 or more", "Write max_failures=1, or drop the callback.")
        self.max_failures = max_failures

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Lets the jobs note that they run, and that they have failed."""
        count_failures(config)

    def at_the_end(self, config: DictConfig) -> None:
        """Removes what the jobs have noted."""
        count_failures_no_more(config)

    def on_job_start(self, config: DictConfig, *, task_function: TaskFunction, **kwargs: Any) -> None:
        """Counts the jobs that have failed, and stops this one if they are too many."""
        job = identify_job(config)
        if job.run.mode == "MULTIRUN" and not job.run.rerun:
            if failures_so_far(config, job) < self.max_failures:
                return
            since = notes_of(config).get("goes_on_since", "")  # what failed before it went on is what it goes on with
            failed = [job for job in _failed(job.run.root, job.run.run_id, job.job_num) if job.started_at >= since]
            retry = notes_of(config).get("retry")
            if retry and failed:
                from hydra_callback_kit.launching.retry_rule import is_the_last_word  # noqa: PLC0415  few sweeps try again

                failed = [each for each in failed if is_the_last_word(retry, each.job_num, each.number, each.kinds)]
            if len(failed) >= self.max_failures:
                what = wording.overrides(job.overrides)
                why = printable(f"Job {job.job_num} ({what}) was not started: {_reason(failed, self.max_failures)}")
                abort(config, why, log=log)


@functools.lru_cache(maxsize=4)
def _follower(root: Path, run_id: str) -> SharedFollower:
    """One for all jobs that run one after another in a process: each look reads only what is new."""
    return SharedFollower(root, run_id)


def _failed(root: Path, run_id: str, but: int) -> list[FollowedJob]:
    """The jobs that have failed; not the one that asks, which may be another attempt."""
    follower = _follower(root, run_id)
    try:
        follower.look()
    except OSError as error:
        log.warning("Not all jobs that have failed can be counted: %s", error)
    jobs = follower.jobs()
    failed = [job for job in jobs["FAILED"] if job.error is None or (job.error[0] not in NOT_LET_START and not job.pruned)]
    return [job for job in (*failed, *jobs["INTERRUPTED"]) if job.job_num != but]


def _reason(failed: list[FollowedJob], limit: int) -> str:
    first = min(failed, key=lambda job: job.started_at)
    error = f": {first.error[0]}: {first.error[1].partition(chr(10))[0]}" if first.error else ", which was interrupted"
    return (
        f"{wording.jobs(len(failed))} of the sweep failed, and the limit is max_failures={limit}.\n"
        f"The first was job {first.job_num} ({wording.overrides(first.overrides)}){error}"
    )
