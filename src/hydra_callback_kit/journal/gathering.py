"""The files that a run's processes have written become one, once nobody writes them any more.

Each process has a file of its own, so that none waits for another. Thousands of them are a burden to a network file system,
and to whoever reads them.
"""

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.format import GATHERED, JOURNAL_DIR
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.journal_lines import lines_in, names_by_run
from hydra_callback_kit.journal.life import Lookout, Sight, batch_id
from hydra_callback_kit.journal.line import BrokenLineError, parse_line
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.regular_file import open_regular
from hydra_callback_kit.journal.writer import journal_file

WORTH_IT: Final = 100
"""Fewer files stay as they are."""

_FEW_LINES: Final = 20
"""Lines of a process in which it has said what it is a job of."""


def gather(run: RunIdentity, sight: Callable[[], Sight]) -> None:
    """Makes one file of those whose processes are gone, where there are many.

    The one is written and renamed before the others go, and a reader takes a line that it meets twice for one: whoever dies
    in the middle of it, nothing is lost. What cannot be read or written stays as it is.

    Args:
        run: a run that has ended, which this process has recorded.
        sight: makes what can find out about processes.
    """
    own = journal_file(run).name
    with contextlib.suppress(OSError):
        names = [name for name in names_by_run(run.root).get(run.run_id, ()) if name != own]
        if len(names) >= WORTH_IT:
            _gather(run, [run.root / JOURNAL_DIR / name for name in names], sight())


def _gather(run: RunIdentity, files: list[Path], sight: Sight) -> None:
    lookout = Lookout(run.root, sight, socket.gethostname())
    facts = _run_facts(journal_file(run))
    token = os.urandom(4).hex()
    whole = run.root / JOURNAL_DIR / f"{run.run_id}.{GATHERED}{token}.jsonl"
    temporary = whole.with_name(f".{whole.name}.tmp")
    taken: dict[Path, int] = {}
    try:
        with temporary.open("xb") as written:
            for file in files:
                with contextlib.suppress(OSError):
                    with open_regular(file) as journal:
                        text = journal.read()
                    if _is_over(file, text, lookout, facts):
                        taken[file] = len(text)
                        written.write(_ended(text))
            written.flush()
            os.fsync(written.fileno())
        if len(taken) >= WORTH_IT:
            temporary.rename(whole)
            for file, size in taken.items():
                with contextlib.suppress(OSError):
                    if file.stat().st_size == size:
                        file.unlink()
    finally:
        temporary.unlink(missing_ok=True)


def _is_over(file: Path, text: bytes, lookout: Lookout, run_facts: dict[str, Any]) -> bool:
    """Whether nobody writes a file any more; one of which no line can be read is not touched."""
    if file.is_symlink():
        return False
    if file.name.partition(".")[2].startswith(GATHERED):
        return True
    process, batch = None, None
    for said in text.split(b"\n", _FEW_LINES)[:_FEW_LINES]:
        with contextlib.suppress(BrokenLineError):
            line = parse_line(said)
            process = ProcessIdentity(line["host"], line["pid"], line["born"])
            batch = batch or batch_id(line["facts"], run_facts)
    return process is not None and lookout.life_of(process, batch) == "gone"


def _ended(text: bytes) -> bytes:
    """A file's lines, without a last one that its process could not end; one that lacks no more than its end gets that."""
    whole, newline, last = text.rpartition(b"\n")
    if last:
        with contextlib.suppress(BrokenLineError):
            parse_line(last)
            return text + b"\n"
    return whole + newline


def _run_facts(file: Path) -> dict[str, Any]:
    """What a process has said of the run as it started it."""
    with contextlib.suppress(OSError):
        for _, text, _ in lines_in(file):
            with contextlib.suppress(BrokenLineError):
                line = parse_line(text)
                if line["event"] == "run_started":
                    facts: dict[str, Any] = line["facts"]
                    return facts
    return {}
