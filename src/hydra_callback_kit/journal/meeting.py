"""Where the processes of a distributed job meet: rank 0 leaves a note where its run is, and the others find it.

A job also says in its environment what it is, for processes that it starts itself, as Lightning does.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.batch_job import this_start
from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive, started_at, this_process
from hydra_callback_kit.journal.rank import JOB_VARIABLE, Rank
from hydra_callback_kit.journal.regular_file import open_regular

MAX_NEIGHBOURS: Final = 200
"""Directories beside a rank's own, the last by name, that its run may be in: each rank may have read the clock by itself."""

_MOST_BYTES: Final = 100_000
_LATE_S: Final = 600.0
"""How much earlier than a rank of another machine rank 0 may have started, clocks included."""


class Meeting(NamedTuple):
    """The run that a rank works for.

    Attributes:
        run: the run.
        start: a word for the start of all its ranks, by which they name their attempts alike.
        first_job: the number of the first job that it works for: the one whose process has started it.
    """

    run: RunIdentity
    start: str
    first_job: int = 0


class OfAnotherKindError(LookupError):
    """Rank 0 runs another command: what looks like a rank is a job by itself."""


@contextlib.contextmanager
def _nothing_lost() -> Iterator[None]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        yield


def leave_note(run: RunIdentity, rank: Rank, start: str, command: Sequence[str]) -> None:
    """Leaves the note of rank 0. Never raises: without it the other ranks are not on record.

    Args:
        run: its run.
        rank: what it is.
        start: a word for the start that no other has.
        command: the words that it was started with.
    """
    process = this_process()
    note = {
        "run_id": run.run_id,
        "mode": run.mode,
        "start": start,
        "host": process.host,
        "pid": process.pid,
        "born": process.born,
        "time": time.time(),
        "command": _digest(*command),
    }
    file = _note_in(run.root, rank)
    temporary = file.with_name(f".{file.name}.{os.urandom(4).hex()}.tmp")
    with _nothing_lost():
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(note), "utf-8")
        temporary.replace(file)


def take_back_note(run: RunIdentity, rank: Rank) -> None:
    """Removes the note of rank 0, whose run does not start."""
    with _nothing_lost():
        _note_in(run.root, rank).unlink()


def find_note(root: Path, rank: Rank, command: Sequence[str], wait_s: float = 0.0) -> Meeting | None:
    """Finds the run of rank 0.

    Args:
        root: where the run would be if the process were a job by itself; rank 0's may lie beside it.
        rank: what the process is.
        command: the words that it was started with.
        wait_s: how long to wait for the note.

    Raises:
        OfAnotherKindError: if rank 0 was started with other words.

    Returns:
        None if there is no note of that start.
    """
    until_s = time.monotonic() + wait_s
    while True:
        for directory in _places(root):
            found = _meeting_in(directory, rank, command)
            if found is not None:
                return found
        if time.monotonic() >= until_s:
            return None
        time.sleep(0.02)


def say_it_came_first(root: Path, rank: Rank) -> None:
    """Leaves a mark that a rank has found a directory free, before rank 0 has. Never raises.

    Args:
        root: the directory of the run.
        rank: what the process is.
    """
    with _nothing_lost():
        (root / JOURNAL_DIR).mkdir(parents=True, exist_ok=True)
        for mark in _marks(root, rank):
            mark.touch()


def another_came_first(root: Path, rank: Rank) -> bool:
    """Tells whether a rank of the same job, or of an earlier start of it, has found a directory free."""
    return any(mark.exists() for mark in _marks(root, rank))


def _marks(root: Path, rank: Rank) -> list[Path]:
    start = this_start()
    return [root / JOURNAL_DIR / f"ranks-{_digest(word)}.first" for word in (rank.job, *([start.by] if start else []))]


def exported_by_the_parent() -> Meeting | None:
    """The job whose process has started the calling one, if it is one of ours."""
    with _nothing_lost():
        pid, run_id, mode, job_num, start, root = os.environ[JOB_VARIABLE].split(" ", 5)
        if int(pid) == os.getppid() and mode in ("RUN", "MULTIRUN"):
            run = RunIdentity(run_id, Path(root), mode)  # type: ignore[arg-type]  # one of them
            return Meeting(run, start, int(job_num))
    return None


def _places(root: Path) -> Iterator[Path]:
    yield root
    with contextlib.suppress(OSError):
        beside = sorted(os.listdir(root.parent), reverse=True)[:MAX_NEIGHBOURS]  # noqa: PTH208  the names are all that is asked for
        yield from (root.parent / name for name in beside if name != root.name)


def _meeting_in(directory: Path, rank: Rank, command: Sequence[str]) -> Meeting | None:
    file = _note_in(directory, rank)
    if not os.path.isfile(file):  # noqa: PTH113  quick, for most have none
        return None
    with _nothing_lost():
        with open_regular(file) as opened:
            note = json.loads(opened.read(_MOST_BYTES))
        if not _is_of_this_start(note):
            return None
        if note["command"] != _digest(*command):
            raise OfAnotherKindError
        if note["mode"] in ("RUN", "MULTIRUN") and type(note["run_id"]) is type(note["start"]) is str:
            return Meeting(RunIdentity(note["run_id"], directory, note["mode"]), note["start"])
    return None


def _is_of_this_start(note: dict[str, Any]) -> bool:
    """Not that of an earlier start by which nothing tells the two apart."""
    process = ProcessIdentity(note["host"], note["pid"], note["born"])
    if process.host != this_process().host:
        return bool(time.time() - note["time"] < _LATE_S)
    return is_alive(process) is not False or note["time"] >= started_at()


def _note_in(root: Path, rank: Rank) -> Path:
    return root / JOURNAL_DIR / f"ranks-{_digest(rank.job)}.json"


def _digest(*words: str) -> str:
    return hashlib.blake2s("\0".join(words).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
