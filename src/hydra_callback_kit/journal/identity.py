"""Which run and which job a line of the journal speaks of."""

import datetime as dt
import math
from pathlib import Path
from typing import NamedTuple

from hydra_callback_kit.journal.format import Mode


class RunIdentity(NamedTuple):
    """One start of an app: a single run, or a sweep with all its jobs.

    Attributes:
        run_id: UTC start time and a random part, so that ids sort by time.
        root: absolute path of the output directory of a single run, or of `hydra.sweep.dir`.
        mode: `RUN` or `MULTIRUN`.
        rerun: whether this process only runs one of its jobs again. The run's start and end are not this process's to tell.
        goes_on: whether this process, or the one that has started this one, lets a sweep go on that another has begun.
    """

    run_id: str
    root: Path
    mode: Mode
    rerun: bool = False
    goes_on: bool = False

    @property
    def started_s(self) -> float:
        """When it started by its id, in seconds since the epoch; infinity if that does not say it."""
        try:
            return dt.datetime.strptime(f"{self.run_id.partition('-')[0]}+0000", "%Y%m%dT%H%M%S%f%z").timestamp()
        except ValueError:
            return math.inf


class JobIdentity(NamedTuple):
    """One attempt at one job of a run.

    Attributes:
        run: the run it belongs to.
        job_num: index in the sweep; 0 for a single run, where Hydra has no number.
        attempt: new each time the job is started (a requeue or a retry starts it again), and the same in all its ranks.
        pid: the process that runs it; a forked child of the job is not the job.
        job_id: what the launcher calls the job; None for a single run.
        job_name: `hydra.job.name`.
        overrides: the overrides as Hydra passed them, secrets redacted.
        output_dir: absolute path of the job's output directory.
        rank: which of the job's processes this is; 0 is the job, the others work for it.
    """

    run: RunIdentity
    job_num: int
    attempt: str
    pid: int
    job_id: str | None
    job_name: str
    overrides: tuple[str, ...]
    output_dir: Path
    rank: int = 0
