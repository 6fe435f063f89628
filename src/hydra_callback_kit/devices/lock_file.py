"""The claims of a machine: locks on parts of one empty file, which the operating system gives up as their process ends.

A lock belongs to a process, whoever runs it and in whichever container, as long as they see the same file. Children have
none of it. Nothing is ever written to the file.
"""

import contextlib
import errno
import os
import stat
import struct
import sys
from collections.abc import Sequence
from hashlib import blake2s
from pathlib import Path
from typing import Final

from hydra_callback_kit.devices.wanted import DeviceError

FILE_VARIABLE: Final = "HYDRA_CALLBACK_KIT_DEVICE_CLAIMS"
"""Names another file than that of the machine, for containers that share devices and no `/tmp`."""

_BYTES: Final = 1 << 20
"""Of a device's part of the file; of several jobs on it each locks its share."""

_FLAGS: Final = os.O_RDWR | sum(
    getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")
)
_BUSY: Final = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
"""As the systems say that somebody else has a lock."""


def file_of_claims() -> Path:
    """The file of this machine, or the one that the environment names. It is in no directory of a user's or a session's."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    shared = Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) if sys.platform == "win32" else Path("/tmp")  # noqa: S108  for all users
    return shared / "hydra-callback-kit-device-claims"


class LockFile:
    """The file, open. It is never closed: closing it anywhere in a process gives up all locks of the process.

    Args:
        path: where it is; it is made if it is not there.

    Raises:
        DeviceError: if it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._taken: list[tuple[int, int]] = []
        try:
            self._descriptor = _opened(path)
        except OSError as error:
            raise _not_usable(path, error) from error

    def is_there(self) -> bool:
        """Whether it still is what others open under its name."""
        try:
            there = self.path.lstat()
        except OSError:
            return False
        mine = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

    def take(self, keys: Sequence[str], share: int, shares: int) -> bool:
        """Takes a share of each of these, or of none; the process has nothing yet.

        Args:
            keys: what is claimed.
            share: which share, from 0.
            shares: how many there are.

        Raises:
            DeviceError: if the file system has no locks.
        """
        for key in keys:
            part = _part(key, share, shares)
            try:
                _lock(self._descriptor, *part)
            except OSError as error:
                self.give_back()
                if error.errno not in _BUSY:
                    raise _not_usable(self.path, error) from error
                return False
            self._taken.append(part)
        return True

    def give_back(self) -> None:
        """Gives up all that this process has."""
        while self._taken:
            _unlock(self._descriptor, *self._taken.pop())

    def holders(self, keys: Sequence[str]) -> set[int]:
        """The processes that have a share of these, one of each; those of other containers are not known."""
        pids: set[int] = set()
        for key in keys:
            pid = _holder(self._descriptor, *_part(key, 0, 1))
            pids |= {pid} if pid > 0 else set()
        return pids


def _part(key: str, share: int, shares: int) -> tuple[int, int]:
    """Where a share of a key is in the file, and how long: shares of different sizes meet where they are of the same."""
    place = int.from_bytes(blake2s(key.encode(), digest_size=5).digest(), "big") * _BYTES
    start = share * _BYTES // shares
    return place + start, (share + 1) * _BYTES // shares - start


def _opened(path: Path) -> int:
    for _ in range(3):  # somebody else may make it in between, or remove it
        try:
            descriptor = os.open(path, _FLAGS)
        except FileNotFoundError:
            _make(path)
            continue
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is no file")
        return descriptor
    raise OSError(errno.ENOENT, "it does not stay there")


def _make(path: Path) -> None:
    """Makes the file in one step, for everybody: a umask would keep others out for ever."""
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        temporary.chmod(0o666)
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)


def _not_usable(path: Path, error: OSError) -> DeviceError:
    owner = ""
    with contextlib.suppress(OSError, KeyError, NotImplementedError):
        owner = f"; it belongs to {path.owner()}"
    return DeviceError(
        f"No device can be claimed by {path} ({error.strerror or error}{owner}). It has to be an empty file that everybody "
        f"on this machine may write to, for devices are claimed by locks on it. Have it removed, or name another one in "
        f"{FILE_VARIABLE}, the same for all who share the devices."
    )


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, start: int, length: int) -> None:
        os.lseek(descriptor, start, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, length)

    def _unlock(descriptor: int, start: int, length: int) -> None:
        os.lseek(descriptor, start, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, length)

    def _holder(descriptor: int, start: int, length: int) -> int:  # noqa: ARG001  Windows does not tell
        return 0

else:
    import fcntl

    def _lock(descriptor: int, start: int, length: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)

    def _unlock(descriptor: int, start: int, length: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, length, start)

    def _holder(descriptor: int, start: int, length: int) -> int:
        """The process that has a lock there; 0 if none has, or it is not known."""
        asked = fcntl.F_WRLCK, os.SEEK_SET
        try:  # as C lays `struct flock` out, which Python does not say
            if sys.platform == "linux":
                answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack("hhqqi4x", *asked, start, length, 0))
                kind, _, _, _, pid = struct.unpack("hhqqi4x", answer)
            elif sys.platform == "darwin":
                answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack("qqihh", start, length, 0, *asked))
                _, _, pid, kind, _ = struct.unpack("qqihh", answer)
            else:
                return 0
        except OSError:
            return 0
        return 0 if kind == fcntl.F_UNLCK else int(pid)
