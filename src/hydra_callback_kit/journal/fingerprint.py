"""What the journal keeps of a file that was written: enough to know later whether it is still as it was written."""

import hashlib
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Final

_BLOCK: Final = 1 << 20


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
    fingerprint = Fingerprint()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            fingerprint.add(block)
    return str(fingerprint)


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
