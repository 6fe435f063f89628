"""Opens files that others may have put there: a pipe, a device or a socket of the same name keeps nobody waiting."""

import errno
import os
import stat
from pathlib import Path
from typing import IO, Final

_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))


def open_regular(path: Path) -> IO[bytes]:
    """Opens a file for reading.

    Args:
        path: the file, or a link to it.

    Returns:
        The open file.

    Raises:
        OSError: if it cannot be opened, or is something else than a regular file.
    """
    try:
        # looked at before it is opened, which a device may notice, and after, for it may be another by then
        _check(path.stat(), path)
        descriptor = os.open(path, _FLAGS)
    except ValueError as error:  # no file has a name that holds NUL or half a surrogate pair
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path)) from error
    try:
        _check(os.fstat(descriptor), path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
