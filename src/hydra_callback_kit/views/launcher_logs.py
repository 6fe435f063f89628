"""What a launcher has left of a job: its own logs, and why the batch system has ended it."""

import os
import re
import socket
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from hydra_callback_kit.journal.batch_reason import reasons, said_in
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.whereabouts import launcher_id

MAX_LOGS: Final = 4
"""Logs of a job that are named: of two ranks all."""

_FOLDER: Final = ".submitit"
_ID: Final = re.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def slurm_log(batch_job: str) -> str:
    """The name of the file into which Slurm writes what a job of `rerun --sbatch` prints."""
    return f"slurm-{batch_job}.out"


class Left(NamedTuple):
    """What is left of a job.

    Attributes:
        logs: submitit's and Slurm's logs of it, relative to the run's directory.
        state: what Slurm's accounting calls the way that it ended; empty where it does not say why.
        said: what Slurm wrote into the log; empty if nothing.
    """

    logs: tuple[str, ...] = ()
    state: str = ""
    said: str = ""


def left_of(run: RunRecord, jobs: Sequence[JobRecord]) -> dict[int, Left]:
    """Looks what is left of jobs that did not complete; Slurm is asked once for all of them.

    Args:
        run: their run.
        jobs: the jobs.

    Returns:
        What is left of each, by its number.
    """
    logs = {job.job_num: _logs_of(job, run.root) for job in jobs}
    states = _states(run, jobs)
    return {
        job.job_num: Left(
            logs[job.job_num],
            states.get(_batch_id(job), ""),
            next(filter(None, (said_in(run.root / log, _started(job)) for log in logs[job.job_num])), "")
            if _batch_id(job)
            else "",
        )
        for job in jobs
    }


def _logs_of(job: JobRecord, root: Path) -> tuple[str, ...]:
    """Those of the attempt that counts: submitit's, and what `rerun --sbatch` has Slurm write."""
    name = launcher_id(job)
    if not _ID.fullmatch(name):
        return ()
    try:
        there = sorted(os.listdir(root / _FOLDER / name))  # noqa: PTH208  names
    except OSError:  # another launcher, or another folder for its logs
        there = []
    found = [f"{_FOLDER}/{name}/{log}" for log in there if log.startswith(name) and log.endswith(("_log.err", "_log.out"))]
    directories = dict.fromkeys((job.subdir or ".", "."))  # the sweep's, where the job had no directory yet
    by_sbatch = (Path(directory, slurm_log(name)).as_posix() for directory in directories)
    found += (log for log in by_sbatch if os.path.isfile(root / log))  # noqa: PTH113  unlike `Path.is_file` it never raises
    return tuple(found[:MAX_LOGS])


def _states(run: RunRecord, jobs: Sequence[JobRecord]) -> dict[str, str]:
    """By id; a number says nothing to another cluster."""
    clusters = {batch.get("cluster") for job in jobs if type(batch := job.facts.get("batch")) is dict}
    cluster = next((name for name in clusters if type(name) is str), None)
    if len(clusters) != 1 or (cluster is None and run.host != socket.gethostname()):
        return {}
    return reasons({_batch_id(job) for job in jobs}, cluster)


def _batch_id(job: JobRecord) -> str:
    """As Slurm's commands list the job: an array's element by the array and its index."""
    batch = job.facts.get("batch")
    if type(batch) is not dict or batch.get("system") != "slurm":
        return ""
    array, index = batch.get("array_job"), batch.get("array_index")
    return str(batch.get("job")) if array is None or index is None else f"{array}_{index}"


def _started(job: JobRecord) -> datetime | None:
    return None if job.started_at is None else datetime.fromisoformat(job.started_at)
