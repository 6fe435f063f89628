"""How many jobs ran at once, and which did not finish, from a run's record."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views import wording


def job_states(run: RunRecord) -> dict[str, Any]:
    """Computes the contents of `thread_safe_callback`'s output file.

    Args:
        run: a single run or a sweep.

    Returns:
        Plain JSON values: `jobs_started`, `highest_at_once`, `not_finished` (the numbers of those jobs), and `jobs`, by job
        id (`0` for a single run; with the job's number where a launcher gives several jobs the same id).
    """
    ids = [job.job_id or str(job.job_num) for job in run.jobs]
    times_used = Counter(ids)
    return {
        "jobs_started": len(run.jobs),
        "highest_at_once": highest_at_once(run.jobs),
        "not_finished": [job.job_num for job in not_finished(run)],
        "jobs": {
            job_id if times_used[job_id] == 1 else f"{job_id} (job {job.job_num})": {
                "job_num": job.job_num,
                "status": job.status.lower(),
                "start_time": job.started_at,
                "end_time": job.ended_at,
                "success": None if job.status == "RUNNING" else job.status == "COMPLETED",
            }
            for job_id, job in zip(ids, run.jobs, strict=True)
        },
    }


def concurrency_text(run: RunRecord) -> str:
    """Puts it into words: one line, and one for each job that did not finish."""
    count = len(run.jobs)
    finished = "all finished" if not not_finished(run) else f"{len(not_finished(run))} did not finish"
    lines = [f"Sweep ran {count} {'job' if count == 1 else 'jobs'}, at most {highest_at_once(run.jobs)} at once; {finished}"]
    lines += [f"  job {job.job_num} {job.status}: {wording.overrides(job.task_overrides)}" for job in not_finished(run)]
    return "\n".join(lines)


def not_finished(run: RunRecord) -> list[JobRecord]:
    """The jobs that reported no end: interrupted, or still running. A job that failed has finished."""
    return [job for job in run.jobs if job.status in ("INTERRUPTED", "RUNNING")]


def highest_at_once(jobs: Sequence[JobRecord]) -> int:
    """Counts how many jobs ran at once at most.

    Args:
        jobs: of one run. A job without a recorded start is not counted. One that was interrupted is taken to have run until
            its process started another, or the run ended.

    Returns:
        0 if there are no jobs.
    """
    last_start: dict[tuple[str | None, int | None, str | None], str] = {}
    for job in jobs:
        process = job.host, job.pid, job.born
        last_start[process] = max(last_start.get(process, ""), job.started_at or "")
    counted = [
        replace(job, status="RUNNING")
        if job.status == "INTERRUPTED" and (job.started_at or "") >= last_start[job.host, job.pid, job.born]
        else job
        for job in jobs
    ]
    return max((running for _, running in jobs_at_once(counted)), default=0)


def jobs_at_once(jobs: Iterable[JobRecord]) -> list[tuple[float, int]]:
    """Counts the jobs that run, each time one starts or ends.

    Args:
        jobs: of one run. A job without a recorded start is not counted. One that was interrupted counts at its start alone,
            for nobody knows how long it lived; one that runs has no end.

    Returns:
        Times (seconds since 1970, UTC; infinite for the end of a job that runs) and how many jobs run from then on.
    """
    changes: list[tuple[float, int, int]] = []
    for job in jobs:
        if job.started_at is not None:
            start = datetime.fromisoformat(job.started_at).timestamp()
            end = end_of(job, start)
            # at the same instant ends come before starts, so that one job after another is one at once; a job of no
            # length must start before it ends
            changes += [(start, 1, 1), (end, 0 if end > start else 2, -1)]
    changes.sort()
    return list(zip((time for time, _, _ in changes), itertools.accumulate(change for *_, change in changes), strict=True))


def end_of(job: JobRecord, start: float) -> float:
    """When a job ended, or infinity while it runs: the wall clock may be set while it runs, and its duration is measured
    from a little before the line of its start.

    Args:
        job: the job; of one that was interrupted only the start is known.
        start: seconds since 1970.
    """
    if job.status == "RUNNING":
        return math.inf
    ends = [start if job.duration_s is None else start + job.duration_s]
    if job.ended_at is not None and (end := datetime.fromisoformat(job.ended_at).timestamp()) >= start:
        ends = [end] if job.duration_s is None else [*ends, end]
    return min(ends)
