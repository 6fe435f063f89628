"""What Slurm says of its jobs: `squeue` is asked once for all jobs of a user, and not waited for for long."""

import os
import time
from typing import Final

from hydra_callback_kit.journal.life import Found, State

_FRESH_S: Final = 30.0
"""How long an answer counts, where somebody watches: a controller that is asked all the time serves nobody else."""

_COLUMNS: Final = "JobArrayID:64,JobID:32,State:32,RestartCnt:16"

_FILTERS: Final = ("SQUEUE_", "SACCT_", "SLURM_CLUSTERS")
"""How variables begin by which users have these commands leave jobs out, or say it in another way."""

_WAITS: Final = frozenset(
    ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT")
)
_ENDED: Final = frozenset(
    ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "LAUNCH_FAILED", "NODE_FAIL", "OUT_OF_MEMORY")
) | {"PREEMPTED", "REVOKED", "TIMEOUT"}


class Slurm:
    """Asks Slurm's controller, if its commands are on this machine. Nothing that it asks is ever an error.

    Args:
        timeout_s: how long a busy controller is waited for.
    """

    def __init__(self, timeout_s: float = 10.0) -> None:
        self._timeout_s = timeout_s
        self._answers: dict[int, tuple[float, dict[str, Found] | None]] = {}
        self._cluster: str | None = None

    def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
        """Tells how a job stands.

        Args:
            job: its id, `12`; or `12_3`, by an array's id and the index.
            owner: the user whose job it is, by number.
            cluster: the cluster that it is a job of; None for that of this machine.

        Returns:
            None where that cannot be known: there is no Slurm here, it does not answer, it is another cluster's, or the job
            is not listed and another user's, whose jobs may be hidden.
        """
        asked_at, jobs = self._answers.get(owner, (0.0, None))
        if not asked_at or time.monotonic() - asked_at > _FRESH_S:
            jobs = self._jobs_of(owner)
            self._answers[owner] = time.monotonic(), jobs
        if jobs is None or (cluster is not None and cluster != self.cluster_here()):
            return None
        return jobs.get(job) or (Found("gone", 0) if owner == os.getuid() else None)

    def cluster_here(self) -> str:
        """The name of this machine's cluster; empty if it is not known."""
        if self._cluster is None:
            self._cluster = os.environ.get("SLURM_CLUSTER_NAME") or self._name_of_cluster()
        return self._cluster

    def _jobs_of(self, owner: int) -> dict[str, Found] | None:
        """A user's jobs that the controller knows, by id, also those that have ended not long ago."""
        said = answer_of(
            "squeue",
            "--noheader",
            "--all",  # of partitions that are hidden, too
            "--array",
            "--states=all",
            f"--user={owner}",
            f"--Format={_COLUMNS}",
            timeout_s=self._timeout_s,
        )
        if said is None:
            return None
        jobs: dict[str, Found] = {}
        for line in said.splitlines():
            words = line.split()
            if len(words) == len(_COLUMNS.split(",")) and words[3].isdecimal():
                state: State = "waits" if words[2] in _WAITS else "gone" if words[2] in _ENDED else "runs"
                # elements of an array that wait have its id for a second one, until the last of them starts and keeps it
                jobs[words[0]] = jobs[words[1]] = Found(state, int(words[3]))
        return jobs

    def _name_of_cluster(self) -> str:
        for line in (answer_of("scontrol", "show", "config", timeout_s=self._timeout_s) or "").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == "ClusterName":
                return value.strip()
        return ""


def answer_of(*command: str, timeout_s: float = 10.0) -> str | None:
    """What a command says; None if it is not there, fails, or takes too long."""
    import shutil  # noqa: PLC0415  asked for only where a process cannot be seen
    import subprocess  # noqa: PLC0415  the same

    program = shutil.which(command[0])
    if program is None or not hasattr(os, "getuid"):
        return None
    env = {name: value for name, value in os.environ.items() if not name.startswith(_FILTERS)}
    try:
        done = subprocess.run(  # noqa: S603  no word of it is anybody's but ours
            (program, *command[1:]), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=True, env=env
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
