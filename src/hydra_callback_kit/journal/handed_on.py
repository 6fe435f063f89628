"""Jobs that `rerun` has handed on: to a batch system, or to a sweep that goes on. Until they start they are queued."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.life import BatchId, Lookout, launcher_of, may_outlive
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.queue import Queue, is_submitit, submitit_folders
from hydra_callback_kit.journal.span import Line
from hydra_callback_kit.journal.values import from_json

EVENT: Final = "jobs_handed_on"
"""What the line is called in the journal."""


class HandedOn(NamedTuple):
    """A job that was handed on.

    Attributes:
        job_num: which job.
        at: when, in UTC, ISO 8601.
        attempts: how often it had been started by then.
        process: the one that has it started; None if that is gone, or a batch system does it.
        place: how many jobs submitit had handed over in that sweep before this one will be.
        batch_job: Slurm's id; None without one.
        cluster: the cluster's name; None if it is not known.
    """

    job_num: int
    at: str
    attempts: int
    process: ProcessIdentity | None
    place: int = 0
    batch_job: str | None = None
    cluster: str | None = None


def write_handed_on(
    run: RunIdentity, jobs: Mapping[int, int], batch_job: str | None = None, cluster: str | None = None
) -> None:
    """Leaves on record that jobs were handed on.

    Args:
        run: their run.
        jobs: how often each has been started so far, by its number.
        batch_job: the id by which Slurm knows them; None where this process has them started.
        cluster: the cluster's name, if it is known.
    """
    from hydra_callback_kit.journal.writer import write_line  # noqa: PLC0415  who reads a journal writes none

    batch = {"job": batch_job, "cluster": cluster}
    named = {"batch": {"system": "slurm", **{name: given for name, given in batch.items() if given is not None}}}
    after = {"after": len(submitit_folders(run.root))} if batch_job is None else {}
    write_line(run, EVENT, {"jobs": [list(pair) for pair in jobs.items()], **named, **after})


def handed_on_by(line: Line, process: ProcessIdentity) -> Iterator[HandedOn]:
    """The jobs that a line of the journal says were handed on; what no writer writes is passed by.

    Args:
        line: the line.
        process: who wrote it.
    """
    jobs, batch, after = (from_json(line["facts"].get(name)) for name in ("jobs", "batch", "after"))
    given = batch if isinstance(batch, dict) else {}
    names = [name if isinstance(name, str) else None for name in (given.get("job"), given.get("cluster"))]
    first = after if type(after) is int and after >= 0 else 0
    for place, pair in enumerate(jobs if isinstance(jobs, list) else (), start=first):
        if isinstance(pair, list) and [type(number) for number in pair] == [int, int] and pair[0] >= 0:
            yield HandedOn(pair[0], line["time"], pair[1], process if names[0] is None else None, place, *names)


def still_waiting(
    handed_on: Iterable[HandedOn], attempts: Mapping[int, int], run_facts: Mapping[str, Any], root: Path, lookout: Lookout
) -> dict[HandedOn, bool]:
    """Leaves out the jobs that have started since, and those that will not start any more.

    Args:
        handed_on: all that were handed on.
        attempts: how often each job has been started, by its number.
        run_facts: what is on record of the run.
        root: its directory.
        lookout: whom to ask.

    Returns:
        The others, each once and in the order of their numbers, and of each whether it is known to wait.
    """
    left = sorted({each for each in handed_on if attempts.get(each.job_num, 0) <= each.attempts}, key=_place)
    if not left:
        return {}
    launcher = _Launcher(run_facts, root, lookout)
    found = [launcher.about(each) for each in left]
    return {each: known for each, known in filter(None, found) if known or not lookout.assumes_gone}


def with_handed_on(queue: Queue, waiting: Mapping[HandedOn, bool]) -> Queue:
    """A run's queue, with the jobs that were handed on.

    Args:
        queue: the others.
        waiting: of each whether it is known to wait.
    """
    if not waiting:
        return queue
    there = {job.job_num for job, known in waiting.items() if known}
    return Queue(queue.there | there, (queue.perhaps | {job.job_num for job in waiting}) - there)


def _place(job: HandedOn) -> tuple[int, str, str]:
    return job.job_num, job.at, str(job)


class _Launcher:
    """What is known of jobs that were handed on: those of a sweep whose process is gone, its launcher may have queued."""

    def __init__(self, run_facts: Mapping[str, Any], root: Path, lookout: Lookout) -> None:
        self._launcher = launcher_of(run_facts) if may_outlive(run_facts) else None
        self._lookout = lookout
        by_submitit = self._launcher in ("submitit_local", "submitit_slurm")
        self._ids = submitit_folders(root) if by_submitit else []

    def about(self, job: HandedOn) -> tuple[HandedOn, bool] | None:
        """The job, with what has it started now, and whether it is known to wait; None for one that does not."""
        life = None if job.process is None else self._lookout.life_of(job.process)
        if life == "gone":
            return self._left_behind(job._replace(process=None))
        return self._in_queue(job) if job.process is None else (job, life is not None)

    def _left_behind(self, job: HandedOn) -> tuple[HandedOn, bool] | None:
        if self._launcher == "submitit_local" and self._lookout.started_here:
            return (job, False) if any(map(is_submitit, self._ids[job.place :])) else None
        if self._launcher == "submitit_slurm":
            # or it was not submitted any more
            return self._in_queue(job._replace(batch_job=self._ids[job.place])) if job.place < len(self._ids) else None
        return None if self._launcher is None else (job, False)

    def _in_queue(self, job: HandedOn) -> tuple[HandedOn, bool] | None:
        found = None if job.batch_job is None else self._lookout.look_up(BatchId(job.batch_job, cluster=job.cluster))
        return None if found is not None and found.state == "gone" else (job, found is not None)
