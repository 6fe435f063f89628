"""A file's last line says what the file held as it was written: for what the command line writes, which no journal names."""

import re
import stat
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.fingerprint import Fingerprint

_SEAL: Final = re.compile(rb"(?:<!--|/\*) hydra-callback-kit wrote ([0-9]+:[0-9a-f]{64}) (?:-->|\*/)\n\Z")
_LONGEST: Final = 200


def sealed(content: bytes, begin: str, end: str) -> bytes:
    """Adds the last line.

    Args:
        content: the file's content.
        begin: what begins a comment in it: `<!--` or `/*`.
        end: what ends it: `-->` or `*/`.
    """
    content += b"" if content.endswith(b"\n") else b"\n"
    return content + f"{begin} hydra-callback-kit wrote {_fingerprint(content)} {end}\n".encode("ascii")


def is_as_sealed(path: Path) -> bool:
    """Tells whether a path is a file, and no link to one, that holds what it held as it was written by us.

    Args:
        path: any path; a device or a pipe is not opened.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            file.seek(max(0, path.lstat().st_size - _LONGEST))
            seal = _SEAL.search(file.read())
            if seal is None:
                return False
            file.seek(0)
            return _fingerprint(file.read()[: -len(seal[0])]) == seal[1].decode("ascii")
    except OSError:
        return False


def _fingerprint(content: bytes) -> str:
    fingerprint = Fingerprint()
    fingerprint.add(content)
    return str(fingerprint)
