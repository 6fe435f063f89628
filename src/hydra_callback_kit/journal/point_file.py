"""The file that a job appends the points of its metrics to."""

import os
from pathlib import Path


class PointFile:
    """A file that points are appended to, each by one write.

    Args:
        path: its place, where nothing lies or a file of the same job.
        head: its first line.

    Raises:
        OSError: if it cannot be opened.
    """

    def __init__(self, path: Path, head: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        flags |= sum(getattr(os, name, 0) for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK"))
        self._descriptor = os.open(path, flags, 0o666)
        self._is_torn = False
        if os.fstat(self._descriptor).st_size == 0:
            self.write(head)
        else:
            self._is_torn = True  # the attempt before may have been killed in the middle of a line

    def write(self, line: bytes) -> None:
        """Appends a line."""
        text = b"\n" + line if self._is_torn else line
        self._is_torn = True
        while text:  # of a disk that has taken a part the next attempt says what is the matter
            text = text[os.write(self._descriptor, text) :]
        self._is_torn = False

    def close(self) -> None:
        """Closes it."""
        os.close(self._descriptor)
