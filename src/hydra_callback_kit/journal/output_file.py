"""The output of a run that has no terminal: the file that it goes to, and what lies beside the journal of it.

That is the exit code, and, until the first job is launched, which process is about to start the run.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.regular_file import open_regular

FACT: Final = "detached"
"""The fact of such a run: `output` is the file's name in the run's directory."""

_MOST_AT_ONCE: Final = 1 << 16


def new_output_file(root: Path, name: str) -> Path:
    """Makes the file, under another name where there is one from an earlier run: `detached-2.log`.

    Args:
        root: the run's directory, which is there.
        name: such as `detached.log`.

    Raises:
        OSError: if no file can be made there.
    """
    wanted, number = root / name, 1
    while True:
        file = wanted if number == 1 else wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        try:
            file.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            with contextlib.suppress(OSError):
                exit_code_file(file).unlink()  # of a file that was removed since
            return file


def output_file_of(root: Path, facts: Mapping[str, Any]) -> Path | None:
    """Tells the file that a run's output goes to; None for one that has a terminal, or that somebody else has named."""
    said = facts.get(FACT)
    name = said.get("output") if isinstance(said, dict) else None
    is_name = isinstance(name, str) and name == os.path.basename(name) and name not in ("", ".", "..")  # noqa: PTH119  `Path` drops a `/`
    return root / name if is_name and isinstance(name, str) else None


def exit_code_file(output: Path) -> Path:
    """Where the run's exit code is written once it has ended."""
    return output.parent / JOURNAL_DIR / f"{output.name}.exit"


def exit_code_of(output: Path) -> int | None:
    """The run's exit code; None as long as it runs, and where it could not be written."""
    try:
        with open_regular(exit_code_file(output)) as file:
            text = file.read(10).decode("ascii").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdecimal() and len(text) < 4 else None  # noqa: PLR2004  no exit code has more digits


def starting_file(output: Path) -> Path:
    """Where it is written which process is about to start the run."""
    return output.parent / JOURNAL_DIR / f"{output.name}.starting"


def write_starting(output: Path, process: ProcessIdentity) -> None:
    """Writes which process is about to start the run; nothing where that cannot be written.

    Args:
        output: the file that its output goes to.
        process: the process, all of whose children are the run's.
    """
    file = starting_file(output)
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(process), "utf-8")


def starting_in(root: Path) -> ProcessIdentity | None:
    """Tells which process is about to start a run in a directory; None where none is, or another user has said so."""
    for file in sorted((root / JOURNAL_DIR).glob("*.starting"), reverse=True):
        with contextlib.suppress(OSError, ValueError, TypeError), open_regular(file) as opened:
            if os.name == "posix" and os.fstat(opened.fileno()).st_uid == os.geteuid():
                host, pid, born = json.loads(opened.read(_MOST_AT_ONCE))
                if type(host) is str and type(pid) is int and type(born) in (str, type(None)):
                    return ProcessIdentity(host, pid, born)
    return None


class OutputFollower:
    """Reads what is written to a file, from the first look on.

    Args:
        file: the file.
        last_lines: how many of the lines that are there already are read as well; None for all.
    """

    def __init__(self, file: Path, last_lines: int | None = None) -> None:
        self._file = file
        self._at = 0 if last_lines is None else _start_of_last(file, last_lines)

    def new(self, up_to: int | None = None) -> bytes:
        """Reads what was written since the last call.

        Args:
            up_to: the place in the file at which to stop; None for its end.

        Returns:
            Nothing where the file cannot be read: the run may have removed its directory.
        """
        read = b""
        with contextlib.suppress(OSError), open_regular(self._file) as file:
            if os.fstat(file.fileno()).st_size < self._at:
                self._at = 0  # somebody has emptied it
            file.seek(self._at)
            read = file.read() if up_to is None else file.read(max(0, up_to - self._at))
            self._at += len(read)
        return read


def _start_of_last(file: Path, lines: int) -> int:
    """Where the last lines of a file start."""
    with contextlib.suppress(OSError), open_regular(file) as opened:
        at = opened.seek(0, os.SEEK_END)
        if lines < 1:
            return at
        tail = b""
        while at and tail.rstrip(b"\n").count(b"\n") < lines:
            size = min(at, _MOST_AT_ONCE)
            at = opened.seek(at - size)
            tail = opened.read(size) + tail
        kept = tail.splitlines(keepends=True)
        return at + len(tail) - sum(map(len, kept[-lines:]))
    return 0
