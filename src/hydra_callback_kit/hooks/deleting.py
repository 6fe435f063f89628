"""Deletes some of what lies in a directory, and nothing that lies elsewhere, whatever is made a link meanwhile.

Each directory is opened by its name in the one above, unless it is a link, and all else is done in what was opened. So
nobody who swaps a directory for a link leads us out.
"""

import contextlib
import fnmatch
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from hydra_callback_kit.hooks.globs import Globs, Place

CAN_DELETE: Final = {os.open, os.unlink, os.rmdir, os.stat} <= os.supports_dir_fd and os.scandir in os.supports_fd
"""Whether the system can delete what has a name in an open directory. Windows can't."""

_DIRECTORY: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC"))


class Spared(NamedTuple):
    """What is not deleted, whatever the globs say.

    Attributes:
        names: globs for names, of files and directories, wherever they lie.
        directories: directories, relative to the root.
        marks: names that make the directory that they lie in somebody else's: nothing in it is deleted.
    """

    names: Collection[str]
    directories: Collection[PurePosixPath]
    marks: Collection[str]


class Clearing:
    """The deletion of what some globs match in a directory below a root.

    Args:
        globs: what is deleted; of a directory that matches, all that lies in it.
        spared: what is not.
        for_real: whether it is deleted, or only counted.

    Attributes:
        files: how many files and links were deleted so far.
        size_bytes: how much the files took that had no other name.
        errors: what could not be deleted, and why.
        found: whether the directory is there.
    """

    def __init__(self, globs: Globs, spared: Spared, *, for_real: bool) -> None:
        self._globs = globs
        self._spared = spared
        self._for_real = for_real
        self.files = 0
        self.size_bytes = 0
        self.errors: list[OSError] = []
        self.found = False

    def clear(self, root: Path, directory: PurePosixPath, proof: str) -> None:
        """Deletes.

        Args:
            root: the root; links that lead to it are followed.
            directory: the directory relative to it. A part of it that is a link is an error.
            proof: a file relative to the root, which is the right one only if it holds that file.
        """
        with contextlib.ExitStack() as opened:
            try:
                above = _opened(opened, os.open(root, _DIRECTORY & ~getattr(os, "O_NOFOLLOW", 0)))
                os.stat(proof, dir_fd=above, follow_symlinks=False)
                for part in directory.parts:
                    above = _opened(opened, os.open(part, _DIRECTORY, dir_fd=above))
            except FileNotFoundError:
                return  # it is gone, and all that lay in it
            except OSError as error:
                self.errors.append(error)
                return
            self.found = True
            self._clear(above, directory, self._globs.start, os.fstat(above).st_dev)

    def _clear(self, directory: int, path: PurePosixPath, place: Place | None, device: int) -> bool:
        """Deletes what matches in an open directory.

        Args:
            directory: its descriptor.
            path: its path relative to the root.
            place: how far the globs have matched; None where the directory itself matches.
            device: the file system.

        Returns:
            Whether the directory may go itself.
        """
        for entry in self._entries(directory):
            below = None if place is None else self._globs.below(place, entry.name)
            if self._is_spared(entry.name, path / entry.name) or below == frozenset():
                continue
            matches = below is None or self._globs.match(below)
            try:
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    if status.st_dev == device:
                        self._enter(directory, path / entry.name, None if matches else below, device)
                elif matches and (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
                    if self._for_real:
                        os.unlink(entry.name, dir_fd=directory)
                    self.files += 1
                    self.size_bytes += status.st_size if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 else 0
            except FileNotFoundError:
                continue  # somebody else was quicker
            except OSError as error:
                self.errors.append(error)
        return place is None

    def _enter(self, above: int, path: PurePosixPath, place: Place | None, device: int) -> None:
        with contextlib.ExitStack() as opened:
            inside = _opened(opened, os.open(path.name, _DIRECTORY, dir_fd=above))
            if os.fstat(inside).st_dev != device or self._is_somebody_elses(inside):
                return
            may_go = self._clear(inside, path, place, device)
        if may_go and self._for_real:
            with contextlib.suppress(OSError):  # something is left in it
                os.rmdir(path.name, dir_fd=above)

    @staticmethod
    def _entries(directory: int) -> Iterator["os.DirEntry[str]"]:
        with os.scandir(directory) as entries:
            yield from sorted(entries, key=lambda entry: entry.name)

    def _is_spared(self, name: str, path: PurePosixPath) -> bool:
        return path in self._spared.directories or any(fnmatch.fnmatchcase(name, glob) for glob in self._spared.names)

    def _is_somebody_elses(self, directory: int) -> bool:
        return any(_is_there(mark, directory) for mark in self._spared.marks)


def _opened(stack: contextlib.ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor


def _is_there(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
