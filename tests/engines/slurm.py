"""The Slurm that `.ci/slurm` has brought up on this machine: its jobs and its nodes."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from engines.sweeping import until

ON_SLURM: Final = ("hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=5", "hydra.launcher.cpus_per_task=1")
"""The overrides that choose Slurm."""


def answer(*command: str) -> str:
    """What one of Slurm's programs prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def state(job: str) -> str:
    """What Slurm says of a job."""
    return answer("squeue", "-h", "-t", "all", "-j", job, "-o", "%T")


def wait_for_state(job: str, *states: str) -> None:
    """Waits until Slurm says one of these of a job."""
    until(lambda: state(job) in states, lambda: f"job {job} is {state(job)}, expected {states}")


def wait_until_idle(directory: Path) -> None:
    """Waits until Slurm has no job that was submitted in a directory."""

    def left() -> list[str]:
        lines = answer("squeue", "-h", "-r", "-o", "%i %T %Z").splitlines()
        return [line for line in lines if line.endswith(f" {directory}")]

    until(lambda: not left(), lambda: f"still there: {left()}")


def cancel_all(directory: Path) -> None:
    """Cancels the jobs that were submitted in a directory."""
    for line in answer("squeue", "-h", "-r", "-o", "%A %Z").splitlines():
        job, _, submitted_in = line.partition(" ")
        if submitted_in == str(directory):
            answer("scancel", job)


def kill_node(node: str) -> None:
    """Kills all that runs on a node, as if its power had failed: its processes are those that have its host name."""
    slurmd = int((Path(os.environ["SLURM_CONF"]).parent / f"slurmd-{node}.pid").read_text())
    here = Path(f"/proc/{slurmd}/ns/uts").readlink()
    assert here != Path("/proc/self/ns/uts").readlink(), f"{node} has no host name of its own"
    for _ in range(3):  # what one of them starts meanwhile
        for pid in _processes_in(here):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _processes_in(namespace: Path) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "ns" / "uts").readlink() == namespace:
                yield int(entry.name)


def start_node(node: str) -> None:
    """Starts the daemon of a node that was killed, and waits until Slurm gives it jobs."""
    answer("unshare", "--uts", "sh", "-c", 'hostname "$1" && exec slurmd -N "$1"', "-", node)
    until(lambda: answer("sinfo", "-h", "-n", node, "-o", "%t") in ("idle", "mix"), lambda: answer("sinfo"))
