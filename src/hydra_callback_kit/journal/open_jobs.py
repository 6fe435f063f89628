"""Which jobs of a sweep may have failed, by the names of files alone: what each of many jobs asks as it starts.

Under submitit and RQ each job has a process and a journal file of its own, and the last of 10,000 would ask the file system
for 9,999 files, whatever it knows of them. Here a job that runs has an empty file, which goes when the job is over and stays
when it failed, or was killed. So there are as many as there are jobs that run and jobs that failed.
"""

import contextlib
from pathlib import Path
from typing import Final, NamedTuple

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.life import IsAlive
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive, this_process

_FAILED: Final = ".failed"


def job_opens(job: JobIdentity) -> None:
    """Notes that an attempt at a job, or a rank of one, runs in this process.

    Args:
        job: the job.

    Files:
        `.callbacks/<run_id>.open/` in the run's root directory: one empty file for each job that runs or has failed.
    """
    with contextlib.suppress(OSError):
        file = _file(job)
        file.parent.mkdir(exist_ok=True)
        file.touch()


def job_closes(job: JobIdentity, *, failed: bool) -> None:
    """Notes that it is over.

    Args:
        job: the job.
        failed: whether it has failed or was interrupted.
    """
    if job.pid != this_process().pid:
        return  # a forked child of the job is not the job
    file = _file(job)
    with contextlib.suppress(OSError):
        if failed:  # a rank may not have known its run when it started
            file.parent.mkdir(exist_ok=True)
            file.with_name(file.name + _FAILED).touch()
        file.unlink(missing_ok=True)


def failed_at_most(job: JobIdentity, alive: IsAlive = is_alive) -> float:
    """How many other jobs of the sweep can have failed so far, or can have been killed.

    Args:
        job: the job that asks, which was opened.
        alive: tells whether a process still runs.

    Returns:
        No fewer than there are; infinity where that is not known.
    """
    own = _file(job)
    try:
        names = [file.name for file in own.parent.iterdir()]
    except OSError:
        return float("inf")
    if own.name not in names:
        return float("inf")
    failed: set[int] = set()
    for name in names:
        try:
            other = _parsed(name)
        except ValueError:
            return float("inf")
        if other.job_num != job.job_num and (name.endswith(_FAILED) or alive(other.process) is False):
            failed.add(other.job_num)
    return len(failed)


def forget_open_jobs(run: RunIdentity, *, only_if_empty: bool = False) -> None:
    """Removes what was noted of a sweep.

    Args:
        run: the sweep.
        only_if_empty: whether what says of a job stays.
    """
    import shutil  # noqa: PLC0415  most sweeps note nothing

    if only_if_empty:
        with contextlib.suppress(OSError):
            _directory(run).rmdir()
    else:
        shutil.rmtree(_directory(run), ignore_errors=True)


class _Open(NamedTuple):
    """What the name of a file tells."""

    job_num: int
    process: ProcessIdentity


def _directory(run: RunIdentity) -> Path:
    return run.root / JOURNAL_DIR / f"{run.run_id}.open"


def _file(job: JobIdentity) -> Path:
    import zlib  # noqa: PLC0415  the same

    host, pid, born = this_process()
    born = "" if born is None else born.replace(":", "+")  # which some file systems do not take
    attempt = f"{zlib.crc32(job.attempt.encode('utf-8', 'surrogatepass')):08x}"
    return _directory(job.run) / "~".join((str(job.job_num), str(job.rank), attempt, str(pid), born, host))


def _parsed(name: str) -> _Open:
    """Reads a name.

    Raises:
        ValueError: if it is not one of ours.
    """
    num, _, _, pid, born, host = name.removesuffix(_FAILED).split("~", 5)
    return _Open(int(num), ProcessIdentity(host, int(pid), born.replace("+", ":") or None))
