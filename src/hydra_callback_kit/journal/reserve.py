"""A file descriptor in reserve, so that a job that uses up all others still ends on record."""

import contextlib
import os
import threading

_lock = threading.Lock()
_kept: tuple[int, tuple[int, int]] | None = None
"""The descriptor, and what it was open for: the app may have closed it, and have the number for a file of its own."""


def keep() -> None:
    """Takes a descriptor in reserve, if there is none."""
    global _kept  # noqa: PLW0603  the process has one
    with _lock, contextlib.suppress(OSError):
        if _kept is None or not _is_ours(*_kept):
            kept, other = os.pipe()  # nobody else's file is the same one
            os.close(other)
            _kept = kept, _file_of(kept)


def give() -> bool:
    """Closes the descriptor, so that the next file can be opened.

    Returns:
        Whether there was one.
    """
    global _kept
    with _lock:
        kept, _kept = _kept, None
        if kept is None or not _is_ours(*kept):
            return False
        os.close(kept[0])
        return True


def _is_ours(descriptor: int, file: tuple[int, int]) -> bool:
    try:
        return _file_of(descriptor) == file
    except OSError:
        return False


def _file_of(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
