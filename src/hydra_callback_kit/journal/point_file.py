"""The file that a job appends the points of its metrics to.

Jobs of a sweep may share a directory and start in the same moment: none takes away what another has just begun.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.metric_points import head, owner_of
from hydra_callback_kit.journal.new_file import write_new_file

_WAITS_S: Final = 2.0
"""For so long somebody else may have the directory: a job of ours has it for milliseconds."""


def begin_points(path: Path, run_id: str) -> bool:
    """Makes the file, in the place of an earlier run's, unless there is one of the run.

    Args:
        path: its place, where nothing lies or such a file.
        run_id: the run.

    Returns:
        Whether it is new.

    Raises:
        OSError: if it cannot be made.
    """
    with _alone_in(path.parent):
        if owner_of(path) == run_id:
            return False
        path.unlink(missing_ok=True)
        with contextlib.suppress(FileExistsError):  # where nobody can be alone, another job may have made it meanwhile
            write_new_file(path, head(run_id))
        return True


@contextlib.contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Lets the processes of a machine that begin such a file in a directory do so one after another."""
    descriptor = None
    try:
        import fcntl  # noqa: PLC0415  Windows has none

        descriptor = os.open(directory, os.O_RDONLY)
        until_s = time.monotonic() + _WAITS_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until_s:
                    break
                time.sleep(0.001)
    except (ImportError, OSError):  # or a file system that locks no directories
        pass
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


class PointFile:
    """A file that points are appended to, each by one write.

    Args:
        path: its place, where a file of the run lies.
        is_new: whether it was made for this attempt, and holds no more than its head.

    Raises:
        OSError: if it cannot be opened.
    """

    def __init__(self, path: Path, *, is_new: bool) -> None:
        flags = os.O_WRONLY | os.O_APPEND
        flags |= sum(getattr(os, name, 0) for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK"))
        self._descriptor = os.open(path, flags)
        self._is_torn = not is_new  # the attempt before may have been killed in the middle of a line

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
