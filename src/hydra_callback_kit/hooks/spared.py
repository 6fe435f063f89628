"""What is not deleted in a job's directory, whatever the globs say."""

import fnmatch
import os
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import NamedTuple


class Spared(NamedTuple):
    """What is not deleted.

    Attributes:
        names: globs for names, of files and directories, wherever they lie.
        directories: those of jobs, relative to the root or absolute.
        marks: names that make the directory that they lie in somebody else's, unless it is a job's.
        record: the name that makes any directory another run's.
        since: when the run has started, in seconds since the epoch: what is older is not of it.
    """

    names: Collection[str]
    directories: Collection[PurePosixPath]
    marks: Collection[str]
    record: str
    since: float = 0

    def has(self, name: str) -> bool:
        """Whether what has a name is one of those."""
        return any(fnmatch.fnmatchcase(name, glob) for glob in self.names)

    def is_somebody_elses(self, directory: int, *, is_a_jobs: bool = False) -> bool:
        """Whether nothing in a directory may be deleted.

        Args:
            directory: its descriptor.
            is_a_jobs: whether it is known to be a job's, where the marks are that job's.
        """
        return any(_is_there(mark, directory) for mark in (self.record, *(() if is_a_jobs else self.marks)))


def _is_there(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
