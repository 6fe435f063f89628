"""The journal's writer: one line, one `os.write`, in a file that only this process writes."""

import contextlib
import errno
import functools
import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hydra_callback_kit.journal.encoder import to_json
from hydra_callback_kit.journal.format import JOURNAL_DIR, SCHEMA_VERSION
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
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
) -> None:
    """Appends one line to the journal. Never raises for what the disk does: the first failure is logged.

    Args:
        run: the run that the line speaks of.
        event: what happened: `run_started`, `run_ended`, `run_facts`, `job_started`, `job_ended` or `job_facts`.
        facts: any values; they are written as `encoder.to_json` makes them.
        job: the job that the line speaks of, if any.
        encoded: more facts, as `encoder.to_json` has made them.
    """
    process = this_process()
    if job is not None and job.pid != process.pid:
        return  # on Hydra 1.4 a forked child that leaves by sys.exit calls the job's end hooks as well
    line: dict[str, Any] = {
        "v": SCHEMA_VERSION,
        "time": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
        "run": run.run_id,
        "event": event,
    }
    if job is not None:
        line |= {"job": job.job_num, "attempt": job.attempt}
    line |= {"host": process.host, "pid": process.pid, "born": process.born}
    line["facts"] = {**{name: to_json(fact) for name, fact in facts.items()}, **encoded}
    _append(journal_file(run), json.dumps(line, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n")


_written: set[Path] = set()
_torn: set[Path] = set()
_reported: set[Path] = set()


def _append(file: Path, line: bytes) -> None:
    try:
        descriptor = _open(file)
        try:
            # after a write that the disk cut short, the next line must not continue the torn one
            data = b"\n" + line if file in _torn else line
            complete = os.write(descriptor, data) == len(data)
        finally:
            os.close(descriptor)
        (_torn.discard if complete else _torn.add)(file)
        if not complete:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
    except OSError as error:
        if file not in _reported:
            _reported.add(file)
            log.error(  # noqa: TRY400  the error says it all; a traceback would only hide it
                "The journal %s cannot be written: %s. The job is not affected, but what the callbacks report of it will "
                "be incomplete. Free some space or make the directory writable before the next run.",
                file,
                error.strerror or error,
            )


def _open(file: Path) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(file, flags, 0o666)
    except FileNotFoundError:
        # a run's directory that vanished in the middle is not ours to make again
        file.parent.mkdir(parents=file not in _written, exist_ok=True)
        return os.open(file, flags, 0o666)
    finally:
        _written.add(file)
