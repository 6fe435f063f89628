"""Whose turn it is to run a job again, or to let a sweep go on: of several at the same time exactly one has it.

Who has it makes a file that must not exist yet, and removes it once the attempt, or that the job is queued, is on record.
Who was killed meanwhile leaves the file; the next number is free as soon as that process is known to be gone.
"""

import contextlib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.new_file import write_new_file
from hydra_callback_kit.journal.process import ProcessIdentity, this_process
from hydra_callback_kit.journal.regular_file import open_regular

_MOST_BYTES: Final = 10_000

_NO_NAME: Final = re.compile("[^A-Za-z0-9-]")
"""What stands in no run's id but in those of strangers."""


class NotOurTurnError(Exception):
    """Somebody else has the job.

    Attributes:
        file: what says so.
        holder: the process that has it; None where that cannot be read.
    """

    def __init__(self, file: Path, holder: ProcessIdentity | None) -> None:
        super().__init__(file, holder)
        self.file = file
        self.holder = holder


@contextlib.contextmanager
def turn_at(
    root: Path, run_id: str, job_num: int, attempts: int, is_gone: Callable[[ProcessIdentity], bool]
) -> Iterator[None]:
    """Has a job to itself, for as long as the context lasts.

    What is on record of the job has to be looked at inside: until a moment ago it may have been somebody else's.

    Args:
        root: the run's directory.
        run_id: the run.
        job_num: the job.
        attempts: how many attempts at it are on record.
        is_gone: tells whether a process counts as gone.

    Raises:
        NotOurTurnError: if somebody else has the job, or may have it.
        OSError: if no file can be made in the journal's directory.
    """
    file = _take(root / JOURNAL_DIR / f"again-{_NO_NAME.sub('_', run_id)[:100]}-{job_num}-{attempts}", is_gone)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # this process is gone soon
            file.unlink()


@contextlib.contextmanager
def turn_of_a_sweep(root: Path, is_gone: Callable[[ProcessIdentity], bool]) -> Iterator[None]:
    """The same for a whole sweep that goes on; what is on record of it has to be looked at inside.

    Args:
        root: the sweep's directory.
        is_gone: as above.

    Raises:
        NotOurTurnError: if somebody else is about to let it go on, or may be.
        OSError: as above.
    """
    file = _take(root / JOURNAL_DIR / "again-sweep", is_gone)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()


@contextlib.contextmanager
def turn_of_stopping(root: Path, run_id: str, is_gone: Callable[[ProcessIdentity], bool]) -> Iterator[None]:
    """The same for a run that is to be ended: of several that end it, one sends the signals.

    Args:
        root: the run's directory.
        run_id: the run.
        is_gone: as above.

    Raises:
        NotOurTurnError: if somebody else is ending it, or may be.
        OSError: as above.
    """
    file = _take(root / JOURNAL_DIR / f"stop-{_NO_NAME.sub('_', run_id)[:100]}", is_gone)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()


def _take(named: Path, is_gone: Callable[[ProcessIdentity], bool]) -> Path:
    process = this_process()
    for number in itertools.count(1):
        file = named.with_name(f"{named.name}-{number}.json")
        while True:
            try:
                write_new_file(file, (json.dumps(process._asdict()) + "\n").encode("ascii"))
            except FileExistsError:
                pass
            else:
                return file
            try:
                holder = _read(file)
            except FileNotFoundError:
                continue  # it was just given back
            except (OSError, ValueError, RecursionError) as error:
                raise NotOurTurnError(file, None) from error
            if not is_gone(holder):
                raise NotOurTurnError(file, holder)
            break
    raise AssertionError  # numbers do not end


def _read(file: Path) -> ProcessIdentity:
    with open_regular(file) as opened:
        read = json.loads(opened.read(_MOST_BYTES))
    if type(read) is not dict or [*read] != [*ProcessIdentity._fields]:
        raise ValueError("that is no process")
    if [type(each) for each in read.values()] not in ([str, int, str], [str, int, type(None)]) or not 0 < read[
        "pid"
    ] < 2**31:
        raise ValueError("that is no process")
    return ProcessIdentity(**read)
