"""The last line of a terminal, kept out of the way of everything that is printed, by whichever process.

The other lines are made the region that scrolls, so what jobs and their workers print goes by above. Rewriting a line in
place, as progress bars commonly do, would be torn by every line that another process prints.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Any, Final

_SAVE, _RESTORE, _ALL_SCROLLS, _CLEAR_LINE, _UP = "\x1b7", "\x1b8", "\x1b[r", "\x1b[2K", "\x1b[A"

MIN_HEIGHT: Final = 5
"""Lines that a terminal must have."""


class BottomLine:
    """Holds the last line of a terminal until it is closed.

    It has a descriptor of its own for the terminal: the app may close its stream, and have the number for a file.

    Args:
        descriptor: the terminal's.
        encoding: of the terminal.
    """

    def __init__(self, descriptor: int, encoding: str) -> None:
        self._descriptor = os.dup(descriptor)
        self._encoding = encoding
        self._size: os.terminal_size | None = None
        self._is_closed = False
        self._writing = threading.Lock()  # a descriptor that was closed may be another file's

    @classmethod
    def of(cls, stream: Any) -> "BottomLine | None":
        """Takes the last line of a stream's terminal.

        Args:
            stream: any stream, or None where the process has none.

        Returns:
            None if it is no terminal that can do it.
        """
        if not _is_terminal(stream):
            return None
        height = os.get_terminal_size(stream.fileno()).lines
        return cls(stream.fileno(), stream.encoding or "ascii") if height >= MIN_HEIGHT else None

    def show(self, draw: Callable[[int, str], str]) -> None:
        """Writes the line.

        Args:
            draw: makes the text for a width and an encoding, a single line.
        """
        with self._writing, contextlib.suppress(OSError):  # the terminal was closed
            if self._is_closed:
                return
            size = os.get_terminal_size(self._descriptor)
            opened = self._opened(size) if size != self._size else ""
            text = draw(size.columns - 1, self._encoding)
            # the region each time: another command on the terminal may have put it back
            self._write(
                f"{opened}{_SAVE}\x1b[1;{size.lines - 1}r\x1b[{size.lines};1H{_CLEAR_LINE}{text}{_RESTORE}",
            )

    def close(self) -> None:
        """Clears the line and lets the whole terminal scroll again."""
        with self._writing, contextlib.suppress(OSError):
            self._is_closed = True
            try:
                if self._size is not None:
                    self._write(f"{_SAVE}{_ALL_SCROLLS}\x1b[{self._size.lines};1H{_CLEAR_LINE}{_RESTORE}")
            finally:
                os.close(self._descriptor)

    def _opened(self, size: os.terminal_size) -> str:
        cleared = "" if self._size is None else f"{_SAVE}\x1b[{self._size.lines};1H{_CLEAR_LINE}{_RESTORE}"
        self._size = size
        # a line feed first: the cursor may stand on the last line
        return f"{cleared}\n{_SAVE}\x1b[1;{size.lines - 1}r{_RESTORE}{_UP}"

    def _write(self, text: str) -> None:
        """All in one piece, so that nobody else's output comes between.

        Past the stream and its lock: a child that is forked while this thread held it could never write to it.
        """
        os.write(self._descriptor, text.encode(self._encoding, "replace"))


def let_all_scroll(stream: Any) -> None:
    """Lets a whole terminal scroll again, where a process that was killed held its last line; a live one takes it again.

    Args:
        stream: any stream, or None; into a pipe or a file nothing is written.
    """
    with contextlib.suppress(OSError, ValueError):
        if _is_terminal(stream):
            stream.flush()
            os.write(stream.fileno(), f"{_SAVE}{_ALL_SCROLLS}{_RESTORE}".encode("ascii"))


def _is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal that knows control codes."""
    try:
        return os.isatty(stream.fileno()) and os.name == "posix" and os.environ.get("TERM", "dumb") != "dumb"
    except Exception:  # noqa: BLE001  none, closed, no file behind it, or an object of the app's
        return False
