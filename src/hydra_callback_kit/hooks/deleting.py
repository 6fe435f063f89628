"""Deletes some of what lies in a directory, and nothing that lies elsewhere, whatever is made a link meanwhile.

Each directory is opened by its name in the one above, unless it is a link, and all else is done in what was opened. So
nobody who swaps a directory for a link leads us out.
"""

import contextlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from hydra_callback_kit.hooks.globs import Globs, Place
from hydra_callback_kit.hooks.spared import Spared

CAN_DELETE: Final = {os.open, os.unlink, os.rmdir, os.stat} <= os.supports_dir_fd and os.scandir in os.supports_fd
"""Whether the system can delete what has a name in an open directory. Windows can't."""

_DIRECTORY: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC"))

_ASKED_EVERY_S: Final = 0.05
"""Seconds after which it is asked again whether a deletion may go on."""

MayGoOn = Callable[["Clearing"], str]
"""Tells a deletion why it may not go on; empty if it may."""


class _Listed(NamedTuple):
    """What lies in a directory and matches, or is a directory in which something may."""

    name: str
    status: os.stat_result
    place: Place | None
    goes: bool


class _StoppedError(Exception):
    """It may not go on, and says why."""


class Clearing:
    """The deletion of what some globs match in a directory below a root.

    Args:
        globs: what is deleted; of a directory that matches, all that lies in it.
        spared: what is not.
        may_go_on: is asked before anything in a directory is deleted, when it has been listed, and every so often; None if
            nothing is deleted, and it is only counted.

    Attributes:
        files: how many files and links were deleted so far.
        size_bytes: how much the files took that had no other name.
        errors: what could not be deleted, and why.
        doubt: why something, or all, was kept that matches; empty if nothing was.
        found: whether the directory is there.
    """

    def __init__(self, globs: Globs, spared: Spared, may_go_on: MayGoOn | None = None) -> None:
        self._globs = globs
        self._spared = spared
        self._may_go_on = may_go_on
        self._asked_s = 0.0
        self._root = -1
        self._own: PurePosixPath | None = None
        self._jobs: dict[PurePosixPath, tuple[int, int] | None] = {}
        self._open: list[tuple[int, int]] = []
        self.files = 0
        self.size_bytes = 0
        self.errors: list[OSError] = []
        self.doubt = ""
        self.found = False

    def clear(self, root: Path, directory: PurePosixPath, proof: str) -> None:
        """Deletes.

        Args:
            root: the root; links that lead to it are followed.
            directory: the directory relative to it. Where a part of it is a link, nothing is deleted.
            proof: a file relative to the root, which is the right one only if it holds that file.
        """
        with contextlib.ExitStack() as opened:
            try:
                self._root = _opened(opened, os.open(root, _DIRECTORY & ~getattr(os, "O_NOFOLLOW", 0)))
                os.stat(proof, dir_fd=self._root, follow_symlinks=False)
                inside = self._way_to(opened, directory)
                self.found = True
                self._open, self._own = [_identity(os.fstat(inside))], directory
                self._clear(inside, directory, self._globs.start, os.fstat(inside).st_dev)
            except FileNotFoundError:
                return  # it is gone, and all that lay in it
            except _StoppedError as stopped:
                self.doubt = str(stopped)
            except OSError as error:
                self.errors.append(error)

    def jobs_are_in(self, directories: Iterable[PurePosixPath]) -> None:
        """Tells it which directories jobs have, by whatever path: links that lead to one are followed.

        Args:
            directories: other ones than that which is cleared.

        Raises:
            _StoppedError: if it is about to delete in one of them; it catches that itself.
        """
        for path in directories:
            if path not in self._jobs:
                self._jobs[path] = None
                with contextlib.suppress(OSError, ValueError):  # it is gone, or there is no such path
                    self._jobs[path] = _identity(os.stat(path, dir_fd=self._root))
                if self._jobs[path] in self._open:
                    raise _StoppedError("its directory is another job's as well")

    def _look_where_jobs_are(self) -> None:
        """Once, and only where something may go: in a long sweep it takes a while."""
        if self._own is not None:
            own, self._own = self._own, None
            self.jobs_are_in(each for each in self._spared.directories if each != own)

    def _way_to(self, opened: contextlib.ExitStack, directory: PurePosixPath) -> int:
        inside, way = self._root, PurePosixPath()
        for part in directory.parts:
            above, way = inside, way / part
            try:
                inside = _opened(opened, os.open(part, _DIRECTORY, dir_fd=above))
            except OSError:
                if stat.S_ISLNK(os.stat(part, dir_fd=above, follow_symlinks=False).st_mode):
                    raise _StoppedError(f"the directory {way} is a link") from None
                raise
            if os.fstat(inside).st_dev != os.fstat(self._root).st_dev:
                raise _StoppedError(f"the directory {way} is on another file system")
            if self._spared.is_somebody_elses(inside, is_a_jobs=way in self._spared.directories):
                raise _StoppedError(f"the directory {way} is another run's directory as well")
        return inside

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
        listed = list(self._listed(directory, path, place))
        files = [each for each in listed if each.goes and not stat.S_ISDIR(each.status.st_mode)]
        new = [each for each in files if each.status.st_mtime >= self._spared.since]
        if len(new) < len(files):
            self.doubt = self.doubt or "some of it is older than the sweep"
        if new:
            self._look_where_jobs_are()
            self._ask()
        for each in new:
            self._delete(directory, each)
        for each in listed:
            if stat.S_ISDIR(each.status.st_mode) and each.status.st_dev == device:
                with self._told_of_errors():
                    self._enter(directory, path / each.name, None if each.goes else each.place, device)
        return place is None

    def _listed(self, directory: int, path: PurePosixPath, place: Place | None) -> Iterator[_Listed]:
        with os.scandir(directory) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                below = None if place is None else self._globs.below(place, entry.name)
                if self._spared.has(entry.name) or below == frozenset():
                    continue
                if path / entry.name in self._spared.directories or path / entry.name in self._jobs:
                    continue
                with self._told_of_errors():
                    goes, status = below is None or self._globs.match(below), entry.stat(follow_symlinks=False)
                    kind = stat.S_IFMT(status.st_mode)
                    if kind == stat.S_IFDIR or (goes and kind in (stat.S_IFREG, stat.S_IFLNK)):
                        yield _Listed(entry.name, status, below, goes)

    @contextlib.contextmanager
    def _told_of_errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            pass  # somebody else was quicker
        except OSError as error:
            self.errors.append(error)

    def _ask(self, *, now: bool = True) -> None:
        if self._may_go_on is not None and (now or time.monotonic() - self._asked_s > _ASKED_EVERY_S):
            why_not = self._may_go_on(self)
            if why_not:
                raise _StoppedError(why_not)
            self._asked_s = time.monotonic()

    def _delete(self, directory: int, listed: _Listed) -> None:
        """Deletes a file, or a link, if it still is what it was before it was asked whether it may go."""
        self._ask(now=False)
        with self._told_of_errors():
            status = os.stat(listed.name, dir_fd=directory, follow_symlinks=False)
            if _state(status) != _state(listed.status):
                self.doubt = self.doubt or "some of it was written meanwhile"
                return
            if self._may_go_on is not None:
                os.unlink(listed.name, dir_fd=directory)
            self.files += 1
            self.size_bytes += status.st_size if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 else 0

    def _enter(self, above: int, path: PurePosixPath, place: Place | None, device: int) -> None:
        with contextlib.ExitStack() as opened:
            inside = _opened(opened, os.open(path.name, _DIRECTORY, dir_fd=above))
            identity = _identity(os.fstat(inside))
            self._look_where_jobs_are()
            if identity[0] != device or identity in self._jobs.values() or self._spared.is_somebody_elses(inside):
                return
            self._open.append(identity)
            opened.callback(self._open.pop)
            may_go = self._clear(inside, path, place, device)
        if may_go and self._may_go_on is not None:
            with contextlib.suppress(OSError):  # something is left in it
                os.rmdir(path.name, dir_fd=above)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _state(status: os.stat_result) -> tuple[int, ...]:
    return *_identity(status), status.st_size, status.st_mtime_ns


def _opened(stack: contextlib.ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor
