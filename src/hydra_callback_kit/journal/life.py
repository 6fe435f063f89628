"""Who lives: what is known of a process that has written, from the operating system and from the batch system."""

import contextlib
import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Protocol

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.process import is_alive as is_process_alive

IsAlive = Callable[[ProcessIdentity], "bool | None"]

Life = Literal["lives", "waits", "gone"]
"""What is known of a process: it lives, it is gone and what it ran waits in a queue to be started again, or it is gone."""


State = Literal["waits", "runs", "gone"]
"""How a job of the batch system's stands: it waits in the queue, it runs, or it is gone."""


class Found(NamedTuple):
    """What a batch system says of a job.

    Attributes:
        state: how it stands.
        restarts: how often it was started again.
    """

    state: State
    restarts: int


class BatchSystem(Protocol):
    """Whom to ask for what cannot be seen from here; see `batch_system.Slurm`."""

    def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
        """Tells how a job stands; None where that cannot be known."""


class BatchId(NamedTuple):
    """What a record says of the batch system's job that a process was in.

    Attributes:
        job: the job's id.
        restarts: how often it had been started again by then; None if that is not known.
        cluster: the cluster's name; None if it is not known.
        own: whether it was submitted for that process alone, which lives as long as it runs. A process within somebody's
            script may end before that.
    """

    job: str
    restarts: int | None = None
    cluster: str | None = None
    own: bool = False


class Sight(NamedTuple):
    """What a reader can find out about processes.

    Attributes:
        is_alive: tells whether a process still runs; None where that cannot be seen from here.
        batch_system: whom to ask then; None for nobody.
        assume_gone: whether what nobody knows is taken to be gone.
    """

    is_alive: IsAlive = is_process_alive
    batch_system: BatchSystem | None = None
    assume_gone: bool = False


HERE: Final = Sight()
"""What can be seen from this machine, without asking anybody."""


class Lookout:
    """Finds out about the processes of one run; asks once for each.

    Args:
        root: where the run's journal lies.
        sight: what can be found out.
        started_on: the machine that the run was started on; None if it is not known.

    Attributes:
        started_here: whether that is this machine.
        assumes_gone: whether what nobody knows is taken to be gone.
    """

    def __init__(self, root: Path, sight: Sight, started_on: str | None) -> None:
        self._root = root
        self._sight = sight
        self.assumes_gone = sight.assume_gone
        self.started_here = started_on == socket.gethostname()
        self._alive: dict[ProcessIdentity, bool | None] = {}
        self._owner: int | None = None

    def life_of(self, process: ProcessIdentity, batch: BatchId | None = None, *, requeued: bool = False) -> Life | None:
        """Tells whether a process lives.

        Args:
            process: the process.
            batch: the batch system's job that it was in.
            requeued: whether it said that it is going to be started again.

        Returns:
            None where nobody knows.
        """
        if process not in self._alive:
            self._alive[process] = self._sight.is_alive(process)
        alive = self._alive[process]
        if alive:
            return "lives"
        found = None if batch is None else self.look_up(batch)
        if batch is not None and found is not None:
            if found.state != "runs":
                return found.state
            again = batch.restarts is not None and found.restarts > batch.restarts
            if requeued or again:  # it was started again since, or is about to be; what a script runs then is its affair
                return "waits" if requeued or batch.own else "gone"
            if alive is None and batch.own:
                return "lives"
        elif requeued:
            return "gone" if self.assumes_gone else "waits"
        return "gone" if alive is False or self.assumes_gone else None

    def look_up(self, batch: BatchId) -> Found | None:
        """Tells what the batch system says of a job; a number alone is nothing to ask another cluster for."""
        if self._sight.batch_system is None or (batch.cluster is None and not self.started_here):
            return None
        if self._owner is None:
            self._owner = -1
            with contextlib.suppress(OSError):
                self._owner = (self._root / JOURNAL_DIR).stat().st_uid
        return None if self._owner < 0 else self._sight.batch_system.about(batch.job, self._owner, batch.cluster)


_SLURM_ID: Final = "[0-9]+(?:_[0-9]+)?"


def batch_id(facts: Mapping[str, Any], run_facts: Mapping[str, Any]) -> BatchId | None:
    """The batch system's job that a record names; None if it names none.

    Args:
        facts: of a job, or of the run.
        run_facts: of the run.
    """
    fact, job_id = facts.get("batch"), facts.get("job_id")
    by_submitit = launcher_of(run_facts) == "submitit_slurm"
    if type(fact) is dict and fact.get("system") == "slurm" and type(fact.get("job")) is str:
        restarts, cluster = fact.get("restarts"), fact.get("cluster")
        return BatchId(
            fact["job"],
            restarts if type(restarts) is int else None,
            cluster if type(cluster) is str else None,
            own=by_submitit and job_id in (fact["job"], f"{fact.get('array_job')}_{fact.get('array_index')}"),
        )
    if type(job_id) is str and re.fullmatch(_SLURM_ID, job_id) and by_submitit:
        return BatchId(job_id, own=True)
    return None


_LAUNCHERS: Final = {
    "BasicLauncher": "basic",
    "JoblibLauncher": "joblib",
    "RayLauncher": "ray",
    "RayAWSLauncher": "ray_aws",
    "LocalLauncher": "submitit_local",
    "SlurmLauncher": "submitit_slurm",
    "RQLauncher": "rq",
}


def launcher_of(run_facts: Mapping[str, Any]) -> str | None:
    """What a run's launcher is called by Hydra and its plugins, whatever the user's own config for it is called.

    Returns:
        None if no launcher is on record.
    """
    target, chosen = run_facts.get("launcher_class"), run_facts.get("launcher")
    known = _LAUNCHERS.get(target.rpartition(".")[2]) if type(target) is str else None
    return known or (chosen if type(chosen) is str else None)


def may_outlive(run_facts: Mapping[str, Any]) -> bool:
    """Whether jobs of a run's launcher may go on when the process that launched them is gone.

    Those of the basic one run in that process; joblib's and Ray's workers die with it.
    """
    return launcher_of(run_facts) not in (None, "basic", "joblib", "ray", "ray_aws")
