"""The last line of a terminal, kept out of the way of everything that is printed, by whichever process.

The other lines are made the region that scrolls, so what jobs and their workers print goes by above. Rewriting a line in
place, as progress bars commonly do, would be torn by every line that another process prints.
"""

import contextlib
import os
from collections.abc import Callable
from typing import Final, TextIO

_SAVE, _RESTORE, _ALL_SCROLLS, _CLEAR_LINE, _UP = "\x1b7", "\x1b8", "\x1b[r", "\x1b[2K", "\x1b[A"

MIN_HEIGHT: Final = 5
"""Lines that a terminal must have."""


class BottomLine:
    """Holds the last line of a terminal until it is closed.

    Args:
        stream: the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._size: os.terminal_size | None = None

    @staticmethod
    def is_possible(stream: TextIO) -> bool:
        """Tells whether a stream is a terminal that can do it."""
        try:
            height = os.get_terminal_size(stream.fileno()).lines if stream.isatty() else 0
        except (OSError, ValueError):  # no file behind it, or closed
            return False
        return height >= MIN_HEIGHT and os.name == "posix" and os.environ.get("TERM", "dumb") != "dumb"

    def show(self, draw: Callable[[int, str], str]) -> None:
        """Writes the line.

        Args:
            draw: makes the text for a width and an encoding, a single line.
        """
        size = os.get_terminal_size(self._stream.fileno())
        opened = self._opened(size) if size != self._size else ""
        text = draw(size.columns - 1, self._stream.encoding or "ascii")
        self._write(f"{opened}{_SAVE}\x1b[{size.lines};1H{_CLEAR_LINE}{text}{_RESTORE}")

    def close(self) -> None:
        """Clears the line and lets the whole terminal scroll again."""
        if self._size is not None:
            self._write(f"{_SAVE}{_ALL_SCROLLS}\x1b[{self._size.lines};1H{_CLEAR_LINE}{_RESTORE}")
            self._size = None

    def _opened(self, size: os.terminal_size) -> str:
        cleared = "" if self._size is None else f"{_SAVE}\x1b[{self._size.lines};1H{_CLEAR_LINE}{_RESTORE}"
        self._size = size
        # a line feed first: the cursor may stand on the last line
        return f"{cleared}\n{_SAVE}\x1b[1;{size.lines - 1}r{_RESTORE}{_UP}"

    def _write(self, text: str) -> None:
        """All in one piece, so that nobody else's output comes between."""
        with contextlib.suppress(OSError, ValueError):  # the terminal was closed
            self._stream.flush()
            os.write(self._stream.fileno(), text.encode(self._stream.encoding or "ascii", "replace"))
