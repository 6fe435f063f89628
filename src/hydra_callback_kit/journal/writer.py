"""The journal's writer: one line, one `os.write`, in a file that only this process writes."""

import contextlib
import errno
import functools
import json
import os
import threading
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hydra_callback_kit.journal import reserve
from hydra_callback_kit.journal.at_exit import at_exit
from hydra_callback_kit.journal.encoder import to_json
from hydra_callback_kit.journal.format import JOURNAL_DIR, MAX_LINE, SCHEMA_VERSION
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.kept_lines import LatestLines, keep
from hydra_callback_kit.journal.process import ProcessIdentity, this_process, this_process_token
from hydra_callback_kit.journal.safe_log import SafeLogger

log = SafeLogger("hydra_callback_kit")


def journal_file(run: RunIdentity) -> Path:
    """The file that this process appends a run's lines to; the run's id comes first, so that one run is read alone."""
    return _journal_file(run, this_process())


def forget(run: RunIdentity) -> None:
    """Removes what this process wrote of a run, and the journal's directory if that leaves it empty.

    Args:
        run: a run that never started.
    """
    file = journal_file(run)
    _files.pop(file, None)
    with contextlib.suppress(OSError):
        file.unlink()
        file.parent.rmdir()


@functools.lru_cache(maxsize=16)
def _journal_file(run: RunIdentity, process: ProcessIdentity) -> Path:
    host = "".join(letter if letter.isascii() and (letter.isalnum() or letter == "_") else "-" for letter in process.host)
    return run.root / JOURNAL_DIR / f"{run.run_id}.{host}-{process.pid}-{this_process_token()}.jsonl"


def write_line(
    run: RunIdentity,
    event: str,
    facts: Mapping[str, Any],
    job: JobIdentity | None = None,
    encoded: Mapping[str, Any] = MappingProxyType({}),
    time: str | None = None,
) -> None:
    """Appends one line to the journal. Never raises for what the disk does: the first failure is logged.

    Args:
        run: the run that the line speaks of.
        event: what happened: `run_started`, `run_ended`, `run_facts`, `jobs_asked`, `jobs_launched`, `jobs_returned`,
            `jobs_handed_on`, `job_started`, `job_ended` or `job_facts`, and of the ranks that work for a job `rank_started`,
            `rank_ended` or `rank_facts`.
        facts: any values; they are written as `encoder.to_json` makes them.
        job: the job that the line speaks of, if any.
        encoded: more facts, as `encoder.to_json` has made them.
        time: when it happened, as `utc_now` tells it; None for now.
    """
    process = this_process()
    if job is not None and job.pid != process.pid:
        return  # on Hydra 1.4 a forked child that leaves by sys.exit calls the job's end hooks as well
    line: dict[str, Any] = {
        "v": SCHEMA_VERSION,
        "time": time or utc_now(),
        "run": run.run_id,
        "event": event,
    }
    if job is not None:
        line |= {"job": job.job_num, "attempt": job.attempt}
        if job.rank:
            line["rank"] = job.rank
    line |= {"host": process.host, "pid": process.pid, "born": process.born}
    line["facts"] = {**{name: to_json(fact) for name, fact in facts.items()}, **encoded}
    text = _text(line)
    if len(text) > MAX_LINE:
        text = _text({**line, "facts": _cut(line["facts"])})
    keep(text, job and job.attempt)
    append(run, text)


def append(run: RunIdentity, text: bytes) -> None:
    """Appends a line that is made to the journal. Never raises for what the disk does: the first failure is logged.

    Args:
        run: the run that it speaks of.
        text: the line, with its line break.
    """
    _files.setdefault(journal_file(run), _File(journal_file(run))).append(text)


def utc_now() -> str:
    """The time, as lines have it."""
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


def _text(line: Any) -> bytes:
    return json.dumps(line, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def _cut(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a line that is too long, the largest of them as what stands for a value that is."""
    lengths = {name: len(_text({name: fact})) for name, fact in facts.items()}
    cut: dict[str, Any] = {}
    taken = 0
    for name in sorted(lengths, key=lengths.__getitem__):
        taken += lengths[name]
        stands_for_it = {"repr": f"<{lengths[name]} bytes>", "type": type(facts[name]).__name__, "length": lengths[name]}
        cut[name] = facts[name] if taken <= MAX_LINE // 2 else stands_for_it
    return cut


class _File:
    """The file that this process appends to.

    A line that could not be written is kept and written with the next one. Where the file has vanished or was emptied, by
    an app that clears its output directory, say, what it held is written again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # a forked child has a file of its own, and so a lock of its own; a signal's handler may write a line as well
        self._lock = threading.RLock()
        self._written = LatestLines()
        self._waiting = LatestLines()
        self._size = 0  # what the file holds by what this process has written
        self._is_torn = False
        self._was_there = False
        self._was_reported = False

    def append(self, line: bytes) -> None:
        """Writes a line. Never raises for what the disk does: the first failure is logged."""
        try:
            with self._lock:
                self._waiting.add(line)
                self._write()
        except OSError as error:
            if error.errno is None:
                raise  # of no disk: it was raised in the job because that takes too long
            vanished = self._was_there and not self._path.parent.parent.is_dir()
            if not self._was_reported and not vanished:  # who removes the run's directory does not want to hear of it
                self._was_reported = True
                log.error(  # noqa: TRY400  the error says it all; a traceback would only hide it
                    "The journal %s cannot be written: %s. The job is not affected, but what the callbacks report of it may "
                    "be incomplete. Free some space or make the directory writable.",
                    self._path,
                    error.strerror or error,
                )

    def write_what_waits(self) -> None:
        """Tries once more."""
        with self._lock, contextlib.suppress(OSError):
            if self._waiting:
                self._write()

    def _write(self) -> None:
        descriptor = self._opened()
        try:
            if os.fstat(descriptor).st_size < self._size:
                again = LatestLines()
                for line in (*self._written, *self._waiting):
                    again.add(line)
                self._waiting, self._written, self._size, self._is_torn = again, LatestLines(), 0, False
            # after a write that the disk cut short, the next line must not continue the torn one
            data = (b"\n" if self._is_torn else b"") + b"".join(self._waiting)
            written = os.write(descriptor, data)
        finally:
            os.close(descriptor)
        reserve.keep()
        self._size += written
        if written < len(data):
            self._is_torn = True
            self._take_what_was_written(written - (data[:1] == b"\n"))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._is_torn = False
        self._take_what_was_written(len(data))

    def _take_what_was_written(self, size: int) -> None:
        while self._waiting and len(self._waiting.oldest()) <= size:
            size -= len(self._waiting.oldest())
            self._written.add(self._waiting.take())

    def _opened(self) -> int:
        try:
            return self._open()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not reserve.give():
                raise
        return self._open()

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(self._path, flags, 0o666)
        except FileNotFoundError:
            # a run's directory that vanished in the middle is not ours to make again
            self._path.parent.mkdir(parents=not self._was_there, exist_ok=True)
            descriptor = os.open(self._path, flags, 0o666)
        self._was_there = True
        return descriptor


_files: dict[Path, _File] = {}
"""By path; a forked child has files of its own, whose names hold its process."""


@at_exit
def _write_what_waits() -> None:
    for file in list(_files.values()):
        file.write_what_waits()
