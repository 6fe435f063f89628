"""What the journal keeps of a file that was written: enough to know later whether it is still as it was written."""

import hashlib
import stat
import sys
from collections.abc import Collection
from pathlib import Path
from typing import IO, Final

_BLOCK: Final = 1 << 17


class Fingerprint:
    """The length and the SHA-256 of bytes, which may come one after another."""

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()

    def add(self, data: bytes) -> None:
        """Takes the next bytes."""
        self.size += len(data)
        self._hash.update(data)

    def __str__(self) -> str:
        """As it is on record: `<bytes>:<hexadecimal digits>`."""
        return f"{self.size}:{self._hash.hexdigest()}"


def fingerprint_of(path: Path) -> str:
    """The fingerprint of a file's content, read block by block.

    Raises:
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        return str(fingerprint_of_next(file))


def fingerprint_of_next(file: IO[bytes], size: int | None = None) -> Fingerprint:
    """The fingerprint of the next bytes of an open file, read block by block.

    Args:
        file: the file.
        size: how many; None for all that are left.

    Raises:
        OSError: if they cannot be read.
    """
    fingerprint = Fingerprint()
    left = sys.maxsize if size is None else size
    while block := file.read(min(left, _BLOCK)):
        fingerprint.add(block)
        left -= len(block)
    return fingerprint


def is_one_of(path: Path, known: Collection[str]) -> bool:
    """Tells whether a path is a file, and no link to one, that holds what one of these fingerprints was taken of.

    Args:
        path: any path; a device or a pipe is not opened.
        known: fingerprints. The file is read only if one of them has its length, which few files have that were edited.

    Returns:
        False, too, for what cannot be read.
    """
    try:
        status = path.lstat()
        return (
            stat.S_ISREG(status.st_mode)
            and any(one.startswith(f"{status.st_size}:") for one in known)
            and fingerprint_of(path) in known
        )
    except OSError:
        return False
