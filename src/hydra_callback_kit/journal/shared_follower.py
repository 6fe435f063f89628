"""Follows a run's journal from where another process has left off: what many short processes look at is read once.

Under submitit and RQ each job has a process of its own, and the last of 3,000 would read what the 2,999 before it wrote. So
whoever has read much that is new leaves what has come of it in a file beside the journal, in one step and without a lock.
That file says how far it was read in which file. So it may be lost, old, or written by two at once: what it does not know is
read as ever.
"""

import contextlib
import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.follower import FollowedJob, RunFollower
from hydra_callback_kit.journal.format import JOURNAL_DIR, MAX_LINE
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.regular_file import open_regular

LEFT_AFTER: Final = 50
"""So many files must have been read that what has come of them is left to others: to write it takes as long."""

_KINDS: Final[dict[str, tuple[type, ...]]] = {
    **{field.name: (type(field.default),) for field in fields(FollowedJob)},
    "job_num": (int,),
    "process": (tuple, type(None)),
    "batch": (tuple, type(None)),
    "status": (str, type(None)),
    "error": (tuple, type(None)),
}
"""What is left of a job, and as what. Another release may know more of a job, or less: then it begins anew."""


class SharedFollower(RunFollower):
    """What the journal says of a run's jobs so far, as far as need be from where another process has left off.

    It may not know the overrides of jobs that have completed.

    Args:
        root: where the journal lies.
        run_id: which run.

    Files:
        `.callbacks/<run_id>.read.json` in the run's directory (JSON): how far each of the journal's files was read, and what
        it said of the jobs. It may be removed at any time.
    """

    def __init__(self, root: Path, run_id: str) -> None:
        super().__init__(root, run_id)
        self._left = root / JOURNAL_DIR / f"{run_id}.read.json"
        self._was_there: dict[Path, int] | None = None

    def look(self, *, closely: bool = False) -> None:
        """Reads what was written since the last look, and since others have looked: see `RunFollower.look`."""
        if self._was_there is None:
            self._take_over()
            self._was_there = dict(self._read)
        try:
            super().look(closely=closely)
        finally:
            if len(self._read.items() - self._was_there.items()) >= LEFT_AFTER:
                self._leave()
                self._was_there = dict(self._read)

    def _take_over(self) -> None:
        try:
            with open_regular(self._left) as file:
                left = json.loads(file.read(MAX_LINE))
            read = {self._left.parent / name: _is(size, int) for name, size in left["files"].items()}
            jobs = (
                [(attempt, _job(row)) for attempt, *row in left["jobs"] if _is(attempt, str)]
                if left["of"] == list(_KINDS)
                else None
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return  # there is none, or what lies there is not what another process has left
        if jobs is not None:
            self._read = read
            for attempt, job in jobs:
                self._take(attempt, job)

    def _take(self, attempt: str, job: FollowedJob) -> None:
        of_job = self._attempts.setdefault(job.job_num, {})
        of_job[attempt] = job
        self._count(job.job_num, of_job.values())

    def _leave(self) -> None:
        left = {
            "of": list(_KINDS),
            "files": {file.name: size for file, size in self._read.items() if file not in self._in_too_long},
            "jobs": [[attempt, *_row(job)] for of_job in self._attempts.values() for attempt, job in of_job.items()],
        }
        temporary = self._left.with_name(f".{self._left.name}.{os.urandom(4).hex()}.tmp")
        text = json.dumps(left, separators=(",", ":")).encode("ascii")
        if len(text) >= MAX_LINE:
            return  # nobody would read it whole
        try:
            temporary.write_bytes(text)
            os.replace(temporary, self._left)  # noqa: PTH105  the same call as Path.replace, named for what it guarantees
        except OSError:  # no room, no permission: then each process reads for itself
            with contextlib.suppress(OSError):
                temporary.unlink()


def _row(job: FollowedJob) -> list[Any]:
    """What is left of a job: not who ran it once it has ended, nor what it was given once it has completed."""
    needless = {} if job.status is None else {"process": None, **({"overrides": ()} if job.status == "COMPLETED" else {})}
    return [needless.get(name, getattr(job, name)) for name in _KINDS]


def _job(row: list[Any]) -> FollowedJob:
    """A job as `_row` has it.

    Raises:
        TypeError: if it is not.
        ValueError: the same.
    """
    given: dict[str, Any] = {
        name: tuple(value) if type(value) is list else value for name, value in zip(_KINDS, row, strict=True)
    }
    for name, kinds in _KINDS.items():
        _is(given[name], *kinds)
    process, batch, error = given["process"], given["batch"], given["error"]
    if process is not None:
        host, pid, born = process
        process = ProcessIdentity(_is(host, str), _is(pid, int), _is(born, str, type(None)))
    if batch is not None:
        of_batch, restarts = batch
        batch = _is(of_batch, str), _is(restarts, int)
    if error is not None:
        of_type, message = error
        error = _is(of_type, str), _is(message, str)
    texts = {name: tuple(_is(each, str) for each in given[name]) for name in ("overrides", "bases")}
    given |= {**texts, "process": process, "batch": batch, "error": error}
    return FollowedJob(**given)


def _is(value: Any, *kinds: type) -> Any:
    if type(value) not in kinds:
        raise TypeError(f"{type(value).__name__} is not what is left here")
    return value
