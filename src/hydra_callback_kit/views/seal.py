"""A file's last line says what the file held as it was written: for what the command line writes, which no journal names."""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.fingerprint import Fingerprint, fingerprint_of_next

_SEAL: Final = re.compile(rb"(?:<!--|/\*) hydra-callback-kit wrote ([0-9]+:[0-9a-f]{64}) (?:-->|\*/)\n\Z")
_LONGEST: Final = 200


def write_sealed(path: Path, pieces: Iterable[bytes], begin: str, end: str) -> None:
    """Writes a file piece by piece, and its last line.

    Args:
        path: the file.
        pieces: its content.
        begin: what begins a comment in it: `<!--` or `/*`.
        end: what ends it: `-->` or `*/`.

    Raises:
        OSError: if it cannot be written.
    """
    fingerprint = Fingerprint()
    last = b""
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            fingerprint.add(piece)
            last = piece[-1:] or last
        if last != b"\n":
            file.write(b"\n")
            fingerprint.add(b"\n")
        file.write(f"{begin} hydra-callback-kit wrote {fingerprint} {end}\n".encode("ascii"))


def is_as_sealed(path: Path) -> bool:
    """Tells whether a path is a file, and no link to one, that holds what it held as it was written by us.

    Args:
        path: any path; a device or a pipe is not opened.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            file_size = os.fstat(file.fileno()).st_size
            file.seek(max(0, file_size - _LONGEST))
            seal = _SEAL.search(file.read())
            if seal is None:
                return False
            file.seek(0)
            return str(fingerprint_of_next(file, file_size - len(seal[0]))) == seal[1].decode("ascii")
    except OSError:
        return False
