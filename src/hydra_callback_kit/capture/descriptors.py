"""Descriptors that are looked at before they are used: the job may have closed them, and have the number for its own file.

What is made here has a number above that of stderr: where an app was started without stdout, a pipe would become it.
"""

import contextlib
import os
from typing import Final, NamedTuple

_STDERR: Final = 2


class Identity(NamedTuple):
    """What a descriptor leads to."""

    device: int
    inode: int
    kind: int
    of_device: int


def identity_of(number: int) -> Identity | None:
    """Tells what a descriptor leads to; None if it is closed."""
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return Identity(status.st_dev, status.st_ino, status.st_mode & 0o170000, status.st_rdev)


class Descriptor:
    """A descriptor of this package's own.

    Args:
        number: its number now; it gets another one if that is one of the standard streams'.
    """

    def __init__(self, number: int) -> None:
        self.number = _above_the_standard(number)
        self._identity = identity_of(self.number)

    @classmethod
    def copy_of(cls, number: int) -> "Descriptor":
        """A second descriptor for the same thing.

        Raises:
            OSError: if there is none to be had.
        """
        return cls(_copy(number))

    @property
    def is_there(self) -> bool:
        """Whether it still leads where it did."""
        return self._identity is not None and identity_of(self.number) == self._identity

    def leads_where(self, number: int) -> bool:
        """Whether another descriptor leads to the same thing."""
        return self._identity is not None and identity_of(number) == self._identity

    def put_on(self, number: int) -> None:
        """Makes a standard stream lead where this one does.

        Raises:
            OSError: if that cannot be done.
        """
        os.dup2(self.number, number)

    def close(self) -> None:
        """Closes it, if the job has not done so."""
        if self.is_there:
            with contextlib.suppress(OSError):  # a full disk may say so here
                os.close(self.number)


def pipe() -> tuple[Descriptor, Descriptor]:
    """Makes a pipe: the end to read from, and the end to write to.

    Raises:
        OSError: if there is none to be had.
    """
    reads, writes = os.pipe()
    return Descriptor(reads), Descriptor(writes)


def is_standard(number: int) -> bool:
    """Whether a standard stream's descriptor is what it was: programs inherit it. What Python itself opens, they do not."""
    try:
        return os.get_inheritable(number)
    except OSError:
        return False


def _above_the_standard(number: int) -> int:
    if number > _STDERR:
        return number
    copy = _copy(number)
    os.close(number)
    return copy


def _copy(number: int) -> int:
    import fcntl  # noqa: PLC0415  not on Windows, where nothing is captured

    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _STDERR + 1)
