"""The regular files below a directory. No link is followed, and what is neither file nor directory is passed by."""

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from hydra_callback_kit.journal.format import JOURNAL_DIR


class LocalFile(NamedTuple):
    """A file of a run.

    Attributes:
        path: the file.
        name: the same, relative to the run's directory, with slashes.
        size: its bytes as it was found.
        changed_s: when it was changed last, in seconds since 1970.
    """

    path: Path
    name: str
    size: int
    changed_s: float


def files_below(root: Path, start: str, enters: Callable[[str], bool]) -> Iterator[LocalFile]:
    """The files below a directory, in the order of their names. What vanishes meanwhile, or may not be read, is left out.

    Args:
        root: the run's directory.
        start: the directory in it, with slashes; empty for all of it.
        enters: whether a directory is entered, by its name relative to the run's.
    """
    if any(Path(root, *start.split("/")[: depth + 1]).is_symlink() for depth in range(start.count("/") + bool(start))):
        return
    waiting = [start]
    while waiting:
        directory = waiting.pop()
        inside = []
        for entry in _entries(root / directory):
            name = f"{directory}/{entry.name}" if directory else entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    inside.append(name)
                elif entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    yield LocalFile(Path(entry.path), name, status.st_size, status.st_mtime)
            except OSError:
                continue
        waiting += [name for name in reversed(inside) if enters(name)]


def journal_apart(root: Path, start: str, but: Collection[str] = ()) -> Iterator[LocalFile]:
    """The files of a run, or of one of its jobs, without the journal.

    Args:
        root: the run's directory.
        start: the job's in it; empty for all.
        but: directories that are left alone.
    """
    return files_below(root, start, lambda name: name != JOURNAL_DIR and name not in but)


def inside(name: str, directory: str) -> str:
    """The name of a file relative to a directory that it lies in."""
    return name[len(directory) + 1 :] if directory else name


def directories_above(name: str) -> Iterator[str]:
    """The directories above a file, the nearest first, and then the root."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name
    yield ""


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
