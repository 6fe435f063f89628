"""The processes of a distributed job: torchrun, Lightning, srun, mpirun and submitit number them. Rank 0 is the job."""

import contextlib
import os
from collections.abc import Callable
from typing import Final, NamedTuple

from hydra_callback_kit.journal.batch_job import batch_job, number_in
from hydra_callback_kit.journal.identity import JobIdentity


class Rank(NamedTuple):
    """One of several processes that were started together as one job.

    Attributes:
        number: 0 for the process that is the job; the others work for it.
        size: how many there are; None where that is not said.
        job: a word for what was started: the same for all of its ranks, and for no other start at the same time.
    """

    number: int
    size: int | None
    job: str


def rank_of_this_process() -> Rank | None:
    """Tells which of a job's processes the calling one is.

    Returns:
        None for a process that is a job by itself. What was found at the first call holds for the process: libraries set
        these variables for the processes that they are going to start.
    """
    pid = os.getpid()
    if pid not in _ranks:
        _ranks.clear()
        _ranks[pid] = next(filter(None, (found() for found in _FINDERS)), None)
    return _ranks[pid]


def is_worker() -> bool:
    """Whether the calling process works for a job that another one is."""
    rank = rank_of_this_process()
    return rank is not None and rank.number > 0


def is_by_itself() -> None:
    """Says that the calling process is a job by itself, whatever its variables say."""
    _ranks.clear()
    _ranks[os.getpid()] = None


def own_start() -> str:
    """A word for the start of the calling process, which no other has."""
    pid = os.getpid()
    if pid not in _starts:
        _starts.clear()
        _starts[pid] = os.urandom(6).hex()
    return _starts[pid]


def attempt_of(start: str, job_num: int, times: int) -> str:
    """Names the attempt at a job that the ranks of one start make, the same for all of them.

    Args:
        start: a word for the start.
        job_num: the job's number.
        times: how often the process has started the job before.
    """
    return f"{start.replace(' ', '-')}/{job_num}/{times}"


def export(job: JobIdentity | None) -> None:
    """Says in the environment which job runs in the calling process, for ranks that it starts itself; None for none."""
    os.environ.pop(JOB_VARIABLE, None)
    if job is not None:
        start = job.attempt.partition("/")[0]
        words = job.pid, job.run.run_id, job.run.mode, job.job_num, start, job.run.root
        with contextlib.suppress(ValueError):  # a path that no variable can hold
            os.environ[JOB_VARIABLE] = " ".join(map(str, words))


_ranks: dict[int, Rank | None] = {}
"""By process: a forked child looks again."""

_starts: dict[int, str] = {}
"""The same."""


def _of_torch() -> Rank | None:
    """As torchrun, accelerate and DeepSpeed say it."""
    number, size = number_in("RANK"), number_in("WORLD_SIZE")
    if number is None or size is None or not number < size or size == 1:
        return None
    names = ("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "MASTER_ADDR", "MASTER_PORT")
    return _rank("torch", number, size, *(os.environ.get(name, "") for name in names))


def _of_lightning() -> Rank | None:
    """As Lightning says it to the processes that it starts besides the one that the user has started."""
    local, node, size = (number_in(name) for name in ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE"))
    if (local is None and node is None) or size == 1:
        return None
    number = (node or 0) * (number_in("LOCAL_WORLD_SIZE") or size or 1) + (local or 0)
    if size is None and not (number and os.environ.get(JOB_VARIABLE, "").partition(" ")[0] == str(os.getppid())):
        return None
    return _rank("lightning", number, size, *(os.environ.get(name, "") for name in ("MASTER_ADDR", "MASTER_PORT")))


def _of_submitit() -> Rank | None:
    """As submitit says it where it starts a job's tasks by itself; on Slurm the step says it."""
    if os.environ.get("SUBMITIT_EXECUTOR") != "local":
        return None
    number, size = number_in("SUBMITIT_LOCAL_GLOBALID"), number_in("SUBMITIT_LOCAL_NTASKS")
    if number is None or size is None or size == 1:
        return None
    return Rank(number, size, f"submitit {os.environ.get('SUBMITIT_LOCAL_JOB_ID')}")


def _of_slurm() -> Rank | None:
    """As a step says it: a job's script and an interactive shell have the variables, too, and are one process."""
    job, number = batch_job(), number_in("SLURM_PROCID")
    size = number_in("SLURM_STEP_NUM_TASKS") or number_in("SLURM_NTASKS")
    if job is None or job.step < 0 or number is None or size is None or size == 1:
        return None
    return Rank(number, size, f"slurm {job.job}.{job.step} {job.restarts}")


def _of_open_mpi() -> Rank | None:
    number, size = number_in("OMPI_COMM_WORLD_RANK"), number_in("OMPI_COMM_WORLD_SIZE")
    if number is None or size is None or size == 1:
        return None
    return _rank("mpi", number, size, os.environ.get("PMIX_NAMESPACE", ""))


def _of_mpi() -> Rank | None:
    number, size = number_in("PMI_RANK"), number_in("PMI_SIZE")
    if number is None or size is None or size == 1:
        return None
    return _rank("pmi", number, size, os.environ.get("PMI_JOBID", ""))


def _rank(kind: str, number: int, size: int | None, *words: str) -> Rank:
    return Rank(number, size, " ".join((kind, str(size), *words)))


_FINDERS: Final[tuple[Callable[[], Rank | None], ...]] = (
    *(_of_torch, _of_lightning, _of_submitit, _of_slurm, _of_open_mpi, _of_mpi),
)
"""The innermost first: a job of Slurm's may start torchrun."""

JOB_VARIABLE: Final = "HYDRA_CALLBACK_KIT_JOB"
"""What a job exports to the processes that it starts; the first word is its own process id."""
