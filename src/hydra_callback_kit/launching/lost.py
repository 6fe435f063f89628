"""What became of the jobs of a launch: by what came home, and by the record where they did not."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from hydra.core.utils import JobReturn, JobStatus

from hydra_callback_kit.journal.errors import JobError, error_of
from hydra_callback_kit.journal.life import may_outlive
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.launching.answering import can_be_given_back, completed
from hydra_callback_kit.launching.policy import Round

_IT_FAILED: Final = JobError("", "it failed", "")
"""Where nobody says why."""

VALUELESS: Final = "completed, but what it returned was lost with its pool, and only a text that stands for it is on record"
VALUELESS_AGAIN: Final = f"Run again, for each has {VALUELESS}"


class Became(NamedTuple):
    """What became of the jobs of a launch; each of them is in one of these.

    Attributes:
        done: what the sweeper gets for those that have completed. Of one that did not come home that is the value on record.
        failed: why the others have failed that have ended, by Ctrl-C too.
        killed: those that started, and are gone without an end; and those of which the launcher itself says so.
        unstarted: those that never started, and will not.
        running: those that may still run or start elsewhere, which nobody may start a second time.
        valueless: those that have completed and did not come home, where somebody looks at what they returned, and it is not
            on record as it was.
    """

    done: Mapping[int, JobReturn]
    failed: Mapping[int, JobError]
    killed: frozenset[int]
    unstarted: frozenset[int]
    running: frozenset[int]
    valueless: frozenset[int]

    @property
    def lost(self) -> frozenset[int]:
        """Those that came to no end: killed, or never started because there was nobody left to start them."""
        return self.killed | self.unstarted


def attempts_in(record: RunRecord | None) -> dict[int, int]:
    """How often each job has been started, by its number.

    Args:
        record: the run's record; None where nothing is on record.
    """
    return {job.job_num: job.attempts for job in record.jobs} if record is not None else {}


def what_became(
    launched: Round,
    record: RunRecord | None,
    before: Mapping[int, int],
    launcher: ProcessIdentity | None = None,
    *,
    looks_at_values: bool = True,
) -> Became:
    """Tells what became of the jobs of a launch.

    Args:
        launched: what came of it.
        record: the run's record, read after it; None where nothing is on record.
        before: what `attempts_in` said before it. A job that was not started since was not started by it.
        launcher: the process that launched; what it ran itself runs no longer.
        looks_at_values: whether somebody looks at what jobs return.

    Returns:
        What came home counts. Where the launcher has returned without a word of a job, as one that does not wait, the job
        runs. Where it has raised, the record tells.
    """
    jobs = {job.job_num: job for job in record.jobs if job.attempts > before.get(job.job_num, 0)} if record else {}
    may_come = record is not None and may_outlive(record.facts)  # it may wait in a queue that is not the launcher's
    done: dict[int, JobReturn] = {}
    failed: dict[int, JobError] = {}
    others: dict[str, set[int]] = {"killed": set(), "unstarted": set(), "running": set(), "valueless": set()}
    for num, overrides in launched.batch.items():
        home, job = launched.returned.get(num), jobs.get(num)
        if home is not None and home.status is JobStatus.COMPLETED:
            done[num] = home
        elif home is not None and home.status is JobStatus.FAILED:
            failed[num] = _why(home)
        elif launched.error is None:
            others["running"].add(num)
        elif job is not None and job.status == "COMPLETED":
            if looks_at_values and not can_be_given_back(job.return_value):
                others["valueless"].add(num)
            else:
                done[num] = completed(job, overrides)
        elif job is not None and (job.status == "FAILED" or (job.error is not None and job.error.type)):
            failed[num] = job.error or _IT_FAILED
        elif job is not None and job.status == "RUNNING" and _runs_in(job, launcher):
            failed[num] = error_of(launched.error)  # Hydra 1.3 tells nobody of the end of a job that left by `sys.exit`
        else:
            others[_how_lost(job, is_over=num in launched.returned, may_come=may_come)].add(num)
    if isinstance(launched.error, SystemExit) and len(others["killed"]) == 1:
        failed[others["killed"].pop()] = error_of(launched.error)  # joblib raises it, and ends those that ran beside it
    return Became(done, failed, **{name: frozenset(nums) for name, nums in others.items()})


def _why(home: JobReturn) -> JobError:
    value = home._return_value  # noqa: SLF001  `return_value` raises and writes to stderr
    return error_of(value) if isinstance(value, BaseException) else _IT_FAILED


def _how_lost(job: JobRecord | None, *, is_over: bool, may_come: bool) -> str:
    if is_over or (job is not None and job.status != "RUNNING"):
        return "killed"
    return "unstarted" if job is None and not may_come else "running"


def _runs_in(job: JobRecord, launcher: ProcessIdentity | None) -> bool:
    return launcher is not None and (job.host, job.pid, job.born) == tuple(launcher)
