"""Lines of an attempt at a job that are kept beside the file, for a reader that cannot see the file."""

import weakref
from typing import Final

MAX_KEPT: Final = 4_000_000
"""Bytes of lines that are kept in memory: those of a job that are to come home, those that could not be written, and those
that may have to be written again."""


class KeptLines:
    """What this process writes while an attempt at a job goes on, until this object is pickled.

    What is too much is dropped, the oldest first, but for the line of the start.

    Args:
        attempt: the attempt.

    Attributes:
        host: the machine that they were written on.
        dropped: how many were too much.
        lines: the others, in the order in which they were written, each with its line break.
    """

    def __init__(self, attempt: str, host: str) -> None:
        self.host = host
        self.dropped = 0
        self.lines: list[bytes] = []
        self._size = 0
        _kept[attempt] = self

    def add(self, line: bytes) -> None:
        """Keeps a line."""
        self.lines.append(line)
        self._size += len(line)
        while self._size > MAX_KEPT and len(self.lines) > 1:
            self._size -= len(self.lines.pop(1))
            self.dropped += 1


_kept: Final[weakref.WeakValueDictionary[str, KeptLines]] = weakref.WeakValueDictionary()
"""By attempt, as long as somebody holds them."""


def keep(line: bytes, attempt: str | None) -> None:
    """Keeps a line, if lines are kept.

    Args:
        line: the line.
        attempt: the attempt that it speaks of; None if it speaks of the run.
    """
    for kept_for, kept in list(_kept.items()):
        if attempt is None or attempt == kept_for:
            kept.add(line)
