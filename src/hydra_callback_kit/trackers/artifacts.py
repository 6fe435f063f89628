"""The files of a job that go to a tracker with its run: without secrets, and gathered in one directory."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

MAX_SEARCHED: Final = 10_000_000
"""Bytes of a file in which secrets are looked for. A larger one is no config and no log that people read."""


@contextlib.contextmanager
def gathered(directory: Path, patterns: Iterable[str], hide: Callable[[str], str]) -> Iterator[Path | None]:
    """Gathers the files of a directory that are to be sent, each at its own place.

    Links, to files and to directories, and what lies outside of the directory, are left out.

    Args:
        directory: a job's output directory.
        patterns: globs in it: `*.log`. A directory stands for all that is in it: `.hydra`.
        hide: takes what is secret out of a text.

    Yields:
        A directory to send, which is removed afterwards; None if there is nothing to send.
    """
    files = files_of(directory, patterns)
    if not files:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="hydra-callback-kit-") as name:
        for file in files:
            place = Path(name, file.relative_to(directory))
            place.parent.mkdir(parents=True, exist_ok=True)
            _put(file, place, hide)
        yield Path(name)


def files_of(directory: Path, patterns: Iterable[str]) -> list[Path]:
    """The files that some globs mean, in the order of their names.

    Args:
        directory: as above.
        patterns: the same.
    """
    real = directory.resolve()
    found = [each for pattern in patterns for each in directory.glob(pattern) if _lies_there(each, directory, real)]
    files = {file for each in found for file in (each.rglob("*") if each.is_dir() else [each])}
    return sorted(file for file in files if file.is_file() and _lies_there(file, directory, real))


def _lies_there(path: Path, directory: Path, real: Path) -> bool:
    """Whether a path leads through no link below the directory, and not out of it."""
    return ".." not in path.parts and path.resolve() == real / path.relative_to(directory)


def _put(file: Path, place: Path, hide: Callable[[str], str]) -> None:
    if file.stat().st_size <= MAX_SEARCHED:
        content = file.read_bytes()
        with contextlib.suppress(UnicodeDecodeError):
            text = content.decode("utf-8")
            content = hide(text).encode("utf-8")
        place.write_bytes(content)
        return
    try:
        place.symlink_to(file)  # a checkpoint need not be copied
    except OSError:  # not on every system may everybody make links
        shutil.copyfile(file, place)
