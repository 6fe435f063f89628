"""What a process leaves behind that is ended while C code holds it: it can write no line of the journal any more.

A file beside the journal is opened before. It says whose it is, and a thread of C writes into it where the process was.
"""

import contextlib
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.regular_file import open_regular

_SUFFIX: Final = "last-words"
_MOST: Final = 1 << 16
"""Bytes of a file that are read."""


class LastWords(NamedTuple):
    """What is known of such a process.

    Attributes:
        job_num: the job that it ran.
        attempt: which attempt at it.
        where: where it was; empty if it was ended by something else.
    """

    job_num: int
    attempt: str
    where: str


class LastWordsFile:
    """The file of one attempt at a job, open.

    Args:
        job: the job.

    Raises:
        OSError: if it cannot be made.

    Attributes:
        descriptor: what the thread of C writes to.
    """

    def __init__(self, job: JobIdentity) -> None:
        self._path = job.run.root / JOURNAL_DIR / f"{job.run.run_id}.{job.job_num}.{os.urandom(4).hex()}.{_SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        self.descriptor = os.open(self._path, flags, 0o666)
        os.write(self.descriptor, json.dumps([job.job_num, job.attempt]).encode("ascii") + b"\n")

    def remove(self) -> None:
        """Closes and removes it, once."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
            with contextlib.suppress(OSError):  # who removes the run's directory has it too
                self._path.unlink()


def take_last_words(run: RunIdentity, jobs: Collection[int]) -> Iterator[LastWords]:
    """Reads and removes what the processes of jobs have left behind.

    Args:
        run: the run.
        jobs: the numbers of those that are gone.
    """
    for path in sorted((run.root / JOURNAL_DIR).glob(f"{run.run_id}.*.{_SUFFIX}")):
        with contextlib.suppress(OSError, ValueError, TypeError):  # a stranger's, or half of one
            words = _read(path)
            if words.job_num in jobs:
                path.unlink()
                yield words


def _read(path: Path) -> LastWords:
    with open_regular(path) as file:
        whose, _, where = file.read(_MOST).partition(b"\n")
    job_num, attempt = json.loads(whose)
    return LastWords(int(job_num), str(attempt), where.decode("utf-8", "replace"))
