"""Jobs of several processes, as torchrun, Lightning, srun, mpirun and accelerate start them, without any of these."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from apps import App, Finished, without_numbers

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.reader import read_runs
from hydra_callback_kit.journal.records import RunRecord


def torchrun_rank(rank: int, world_size: int, restarts: int = 0) -> dict[str, str]:
    """What torchrun sets, on one machine; accelerate starts its ranks through torchrun's own code."""
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "GROUP_RANK": "0",
        "ROLE_RANK": str(rank),
        "WORLD_SIZE": str(world_size),
        "LOCAL_WORLD_SIZE": str(world_size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29411",
        "TORCHELASTIC_RUN_ID": "4d0a7fd2",
        "TORCHELASTIC_RESTART_COUNT": str(restarts),
        "TORCHELASTIC_MAX_RESTARTS": "1",
    }


def srun_rank(rank: int, world_size: int, step: str = "0") -> dict[str, str]:
    """What `srun` sets in each task of a step."""
    return {
        **slurm_shell(world_size),
        "SLURM_STEP_ID": step,
        "SLURM_STEPID": step,
        "SLURM_STEP_NUM_TASKS": str(world_size),
        "SLURM_PROCID": str(rank),
        "SLURM_LOCALID": str(rank),
    }


def slurm_shell(tasks: int) -> dict[str, str]:
    """What a shell has that `salloc` opened, and what a batch script has: the job's number of tasks, and no step."""
    return {"SLURM_JOB_ID": "4711", "SLURM_JOBID": "4711", "SLURM_NTASKS": str(tasks), "SLURM_NPROCS": str(tasks)}


def open_mpi_rank(rank: int, world_size: int) -> dict[str, str]:
    """What Open MPI's `mpirun` sets."""
    return {
        "OMPI_COMM_WORLD_RANK": str(rank),
        "OMPI_COMM_WORLD_SIZE": str(world_size),
        "OMPI_COMM_WORLD_LOCAL_RANK": str(rank),
    }


def mpich_rank(rank: int, world_size: int) -> dict[str, str]:
    """What MPICH's and Intel MPI's `mpirun` set."""
    return {"PMI_RANK": str(rank), "PMI_SIZE": str(world_size), "MPI_LOCALRANKID": str(rank)}


STARTED_BY = {"torchrun": torchrun_rank, "srun": srun_rank, "open_mpi": open_mpi_rank, "mpich": mpich_rank}
"""What a rank's environment says, by who started it."""


RANK = """
def rank():
    for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK"):
        if name in os.environ:
            return int(os.environ[name])
    return 0

def meet(place, ranks=2, timeout_s=60, look=lambda: None):
    from pathlib import Path
    place = Path(os.environ["MEETING"], str(place))
    place.mkdir(parents=True, exist_ok=True)
    (place / str(rank())).touch()
    until = time.monotonic() + timeout_s
    while len(list(place.iterdir())) < ranks:
        look()
        assert time.monotonic() < until, f"nobody else came to {place}"
        time.sleep(0.01)
"""
"""An app's preamble: which rank it is, and a place where the ranks meet, as at a barrier of torch's."""


LIGHTNING = (
    RANK
    + """
import subprocess
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_original_cwd, to_absolute_path

def fit(place, ranks=2):
    started = []
    if "LOCAL_RANK" not in os.environ:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29411", NODE_RANK="0", LOCAL_RANK="0")
        os.environ["WORLD_SIZE"] = str(ranks)
        for number in range(1, ranks):
            command = [sys.executable, to_absolute_path(sys.argv[0]), *sys.argv[1:]]
            command += [f'hydra.run.dir="{HydraConfig.get().run.dir}"', f"hydra.job.name=train_ddp_process_{number}"]
            command += ["hydra.output_subdir=null"]
            environment = {**os.environ, "LOCAL_RANK": str(number)}
            started.append(subprocess.Popen(command, env=environment, cwd=get_original_cwd()))
    meet(place, ranks)
    os.environ.pop("WORLD_SIZE", None)
    return started
"""
)
"""An app's preamble: `fit` does what that of Lightning's trainer does with the strategy `ddp`, for who looks from outside.

It starts the other ranks once in a process's life. In the second job of a sweep they are there already, for each runs the
whole sweep again, in step with the first; the environment no longer has a WORLD_SIZE then.
"""


TORCHRUN = '''
"""Starts the ranks of a script as torchrun does, ends the others when one has failed, and starts all again if it may."""
import os, signal, subprocess, sys, time

ranks, restarts = int(sys.argv[2]), int(sys.argv[4])
for count in range(restarts + 1):
    started = []
    for rank in range(ranks):
        said = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": ranks, "LOCAL_WORLD_SIZE": ranks, "GROUP_RANK": 0}
        said |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 29411, "TORCHELASTIC_RUN_ID": os.getpid()}
        said |= {"TORCHELASTIC_RESTART_COUNT": count, "TORCHELASTIC_MAX_RESTARTS": restarts}
        environment = {**os.environ, **{name: str(value) for name, value in said.items()}}
        started.append(subprocess.Popen([sys.executable, "-u", *sys.argv[5:]], env=environment))
    while not any(process.poll() for process in started) and any(process.poll() is None for process in started):
        time.sleep(0.01)
    for process in started:
        process.terminate()
    codes = [process.wait() for process in started]
    if not any(codes):
        sys.exit(0)
sys.exit(1)
'''
"""A program that starts ranks: `torchrun --nproc-per-node 2 --max-restarts 1 app.py ...`, the four words in this order."""


def start_ranks(app: App, environments: Sequence[Mapping[str, str]], *arguments: str) -> list[Finished]:
    """Starts an app once for each environment, all at once, and waits until all have ended."""
    started = [app.start(*arguments, MEETING=str(app.directory / "meeting"), **each) for each in environments]
    return [finished(app, process) for process in started]


def finished(app: App, process: "subprocess.Popen[str]", timeout_s: float = 120) -> Finished:
    """What a process has left, once it has ended."""
    out, err = process.communicate(timeout=timeout_s)
    return Finished(process.returncode, without_numbers(out), without_numbers(err), app.directory)


def the_only_run(app: App) -> RunRecord:
    """The run of an app, which is the only one: nothing below its directory is of another."""
    (journal,) = app.directory.rglob(JOURNAL_DIR)
    assert len(list(journal.glob("claim-*.json"))) <= 1
    (run,) = read_runs(journal.parent)
    return run


def ended_by_ctrl_c(app: App, process: "subprocess.Popen[str]") -> RunRecord:
    """Presses Ctrl-C once both ranks have printed `HERE`, and returns the run when none of them lives any more."""
    assert process.stdout is not None
    seen = 0
    while seen < 2:
        line = process.stdout.readline()
        assert line
        seen += line.count("HERE")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    deadline = time.monotonic() + 60
    while the_only_run(app).status == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.1)  # rank 1 may take a moment longer than rank 0, and the job lives as long
    return the_only_run(app)


def files_of_ours(app: App) -> list[str]:
    """The files that people look at, with the directories they lie in; and the links."""
    names = ("results.*", "performance.json", "provenance.json", "config_resolved.yaml", "resources*.csv", "report.html")
    found = [file for name in names for file in app.directory.rglob(name)]
    return sorted(os.path.relpath(file, app.directory) for file in [*found, *links_in(app.directory)])


def links_in(directory: Path) -> list[Path]:
    """The links below a directory."""
    return [file for file in directory.rglob("*") if file.is_symlink()]
