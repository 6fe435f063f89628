"""Lines of an attempt at a job that are kept beside the file, for a reader that cannot see the file."""

import collections
import weakref
from collections.abc import Iterator
from typing import Final

MAX_KEPT: Final = 4_000_000
"""Bytes of lines that are kept in memory: those of a job that are to come home, those that could not be written, and those
that may have to be written again."""


class LatestLines:
    """Lines in their order, of which the oldest go where they are more than may be kept."""

    def __init__(self) -> None:
        self._lines: collections.deque[bytes] = collections.deque()
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        """The lines, the oldest first."""
        return iter(self._lines)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._lines)

    def add(self, line: bytes) -> None:
        """Adds a line as the latest."""
        self._lines.append(line)
        self._size += len(line)
        while self._size > MAX_KEPT:
            self.take()

    def oldest(self) -> bytes:
        """The oldest line; there must be one."""
        return self._lines[0]

    def take(self) -> bytes:
        """Takes the oldest line away; there must be one."""
        line = self._lines.popleft()
        self._size -= len(line)
        return line


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
