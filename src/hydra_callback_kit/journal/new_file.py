"""A file that must not exist yet, made in one step: of several processes that make it exactly one does.

That holds on every file system, NFS included.
"""

import contextlib
import os
from pathlib import Path


def write_new_file(file: Path, text: bytes) -> None:
    """Whole or not at all: written under another name first, which then becomes a second name of the file.

    A file system without links gets it under its own name at once. Who reads it there may see half of it.

    Args:
        file: the file.
        text: what is to be in it.

    Raises:
        FileExistsError: if there is such a file already.
        OSError: if it cannot be written.
    """
    temporary = file.with_name(f".{file.name}.{os.urandom(4).hex()}.tmp")
    try:
        _write(temporary, text)
        try:
            os.link(temporary, file)
        except FileExistsError:
            raise
        except OSError:
            _write(file, text)
    finally:
        _remove(temporary)


def _write(file: Path, text: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(text)
    except BaseException:
        _remove(file)  # half of it would be somebody's for ever
        raise


def _remove(file: Path) -> None:
    with contextlib.suppress(OSError):  # whoever has made the file has it, whatever is left beside it
        file.unlink()
