"""The file of a job's output: made, or gone on with where an attempt before has left one."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hydra_callback_kit.capture.descriptors import Descriptor

_FLAGS: Final = sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))
"""No link is followed, and a pipe keeps nobody waiting."""


def open_to_append(path: Path, title: str, set_aside: Callable[[Path], object]) -> tuple[Descriptor, int]:
    """Opens a file to append to.

    Args:
        path: the file; folders below the job's directory are made.
        title: a line that says whose output follows, where there is something already.
        set_aside: called with what lies there and is no file.

    Returns:
        The file, and at which of its bytes begins what is written now.

    Raises:
        OSError: if it cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or (path.exists() and not path.is_file()):
        set_aside(path)
    file = Descriptor(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _FLAGS, 0o666))
    try:
        status = os.fstat(file.number)
        if not stat.S_ISREG(status.st_mode):
            raise FileExistsError(f"{path} is no file")
        os.set_blocking(file.number, True)  # programs that the job starts inherit it
        if status.st_size:
            ends_a_line = os.pread(file.number, 1, status.st_size - 1) == b"\n"
            os.write(file.number, f"{'' if ends_a_line else chr(10)}--- {title} ---\n".encode())
        return file, os.fstat(file.number).st_size
    except BaseException:
        file.close()
        raise
