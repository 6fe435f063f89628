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
        process: who handed it on; without a batch system that process has it started.
        place: how many jobs submitit had handed over in that sweep before this one will be.
        batch_job: Slurm's id; None where submitit will get one for it.
        cluster: the cluster's name; None if it is not known.
    """

    job_num: int
    at: str
    attempts: int
    process: ProcessIdentity
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

    by: dict[str, Any] = {"after": len(submitit_folders(run.root))}
    if batch_job is not None:
        by = {"batch": {"system": "slurm", "job": batch_job, **({} if cluster is None else {"cluster": cluster})}}
    write_line(run, EVENT, {"jobs": [list(pair) for pair in jobs.items()], **by})


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
            yield HandedOn(pair[0], line["time"], pair[1], process, place, *names)


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
    gone = _Gone(run_facts, root, lookout)
    waiting = {each: _waits(each, gone, lookout) for each in left}
    return {each: waits for each, waits in waiting.items() if waits or (waits is False and not lookout.assumes_gone)}


def with_handed_on(queue: Queue, waiting: Mapping[HandedOn, bool]) -> Queue:
    """A run's queue, with the jobs that were handed on.

    Args:
        queue: the others.
        waiting: of each whether it is known to wait.
    """
    there = {job.job_num for job, known in waiting.items() if known}
    return Queue(queue.there | there, (queue.perhaps | {job.job_num for job in waiting}) - there)


def _place(job: HandedOn) -> tuple[int, str, str]:
    return job.job_num, job.at, str(job)


def _waits(job: HandedOn, gone: "_Gone", lookout: Lookout) -> bool | None:
    """True for a job that is known to wait, False where nobody knows, None for one that does not."""
    if job.batch_job is not None:
        return _is_in_queue(BatchId(job.batch_job, cluster=job.cluster), lookout)
    life = lookout.life_of(job.process)
    return gone.waits(job) if life == "gone" else life == "lives"


class _Gone:
    """The jobs of a sweep that went on, and whose process is gone: what its launcher has left in a queue."""

    def __init__(self, run_facts: Mapping[str, Any], root: Path, lookout: Lookout) -> None:
        self._launcher = launcher_of(run_facts) if may_outlive(run_facts) else None
        self._lookout = lookout
        by_submitit = self._launcher in ("submitit_local", "submitit_slurm")
        self._ids = submitit_folders(root) if by_submitit else []

    def waits(self, job: HandedOn) -> bool | None:
        """As `_waits`."""
        if self._launcher == "submitit_local" and self._lookout.started_here:
            return False if any(map(is_submitit, self._ids[job.place :])) else None
        if self._launcher == "submitit_slurm":
            if job.place >= len(self._ids):
                return None  # it was not submitted any more
            return _is_in_queue(BatchId(self._ids[job.place], cluster=job.cluster), self._lookout)
        return None if self._launcher is None else False


def _is_in_queue(batch: BatchId, lookout: Lookout) -> bool | None:
    found = lookout.look_up(batch)
    return None if found is not None and found.state == "gone" else found is not None
