"""Who lives, who waits, who is gone: what is made of what the operating system and the batch system say."""

import socket
from pathlib import Path

import pytest

from hydra_callback_kit.journal.life import BatchId, Found, Life, Lookout, Sight, batch_id, launcher_of, may_outlive
from hydra_callback_kit.journal.process import ProcessIdentity

PROCESS = ProcessIdentity("node17", 7, None)


class Says:
    """A batch system that says one thing."""

    def __init__(self, found: Found | None) -> None:
        self.found = found

    def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
        """Whatever it is asked."""
        return self.found


W, R, G = Found("waits", 0), Found("runs", 0), Found("gone", 0)


@pytest.mark.parametrize(
    ("alive", "found", "requeued", "known"),
    [
        (True, G, False, "lives"),  # what is seen counts
        (None, None, False, None),
        (None, R, False, "lives"),
        (None, W, False, "waits"),
        (None, G, False, "gone"),
        (None, Found("runs", 1), False, "waits"),  # it was started again since
        (None, Found("gone", 1), False, "gone"),
        (False, None, False, "gone"),
        (False, R, False, "gone"),  # its job goes on without it: a shell, say
        (False, W, False, "waits"),
        (False, Found("runs", 1), False, "waits"),
        (False, None, True, "waits"),
        (False, R, True, "waits"),
        (False, G, True, "gone"),
    ],
)
def test_what_is_known_of_a_process(
    tmp_path: Path, alive: bool | None, found: Found | None, requeued: bool, known: Life | None
) -> None:
    """The operating system is asked first, then the batch system; `--assume-gone` decides where nobody knows."""
    (tmp_path / ".callbacks").mkdir()
    for assume_gone in (False, True):
        sight = Sight(lambda process: alive, Says(found), assume_gone)
        told = Lookout(tmp_path, sight, socket.gethostname()).life_of(PROCESS, BatchId("1", 0, own=True), requeued=requeued)
        assert told == ("gone" if assume_gone and found is None and not alive else known)


@pytest.mark.parametrize("alive", [True, None, False])
def test_that_somebodys_script_runs_is_no_knowledge_of_a_process_in_it(tmp_path: Path, alive: bool | None) -> None:
    """It may have been killed there, and the script goes on."""
    (tmp_path / ".callbacks").mkdir()
    batch = BatchId("1", 0, "c")
    for assume_gone, unseen in ((False, None), (True, "gone")):
        lookout = Lookout(tmp_path, Sight(lambda process: alive, Says(R), assume_gone), None)
        again = Lookout(tmp_path, Sight(lambda process: alive, Says(Found("runs", 1)), assume_gone), None)
        assert again.life_of(PROCESS, batch) == ("lives" if alive else "gone")  # the script was started again since
        assert lookout.life_of(PROCESS, batch) == ("lives" if alive else unseen if alive is None else "gone")


def test_a_number_alone_is_asked_for_only_where_the_sweep_was_started(tmp_path: Path) -> None:
    """Another cluster, which may share the disk, has jobs of the same numbers."""
    (tmp_path / ".callbacks").mkdir()
    sight = Sight(lambda process: None, Says(R))
    assert Lookout(tmp_path, sight, "login9").life_of(PROCESS, BatchId("1")) is None
    assert Lookout(tmp_path, sight, "login9").life_of(PROCESS, BatchId("1", cluster="c", own=True)) == "lives"
    assert Lookout(tmp_path, sight, socket.gethostname()).life_of(PROCESS, BatchId("1", own=True)) == "lives"


def test_the_id_on_record() -> None:
    """The fact `batch`; or what submitit calls a job of Slurm's, which under `submitit_local` is a process's number."""
    slurm = {"launcher": "mine", "launcher_class": "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher"}
    fact = {"system": "slurm", "job": "12", "restarts": 1, "cluster": "c"}
    assert batch_id({"batch": fact, "job_id": "3"}, {}) == BatchId("12", 1, "c")
    assert batch_id({"job_id": "12_3"}, slurm) == BatchId("12_3", own=True)
    element = {**fact, "array_job": "11", "array_index": "1"}
    assert batch_id({"batch": element, "job_id": "11_1"}, slurm) == BatchId("12", 1, "c", own=True)
    for job_id, run_facts in (("11_1", {"launcher": "basic"}), ("20260101T000000-aa_1", slurm), (None, slurm)):
        assert batch_id({"batch": element, "job_id": job_id}, run_facts) == BatchId("12", 1, "c")
    assert batch_id({"job_id": "12"}, {"launcher": "submitit_local"}) is None
    for odd in ("x", {"system": "slurm"}, {"system": "slurm", "job": 12}, {"system": "pbs", "job": "12"}, None, [1]):
        assert batch_id({"batch": odd}, slurm) is None


@pytest.mark.parametrize("name", ["basic", "joblib", "ray", None, 3])
def test_jobs_that_die_with_their_sweep(name: object) -> None:
    """They run in its process, or in workers that end with it."""
    assert not may_outlive({"launcher": name})


@pytest.mark.parametrize("name", ["submitit_local", "submitit_slurm", "rq", "somebodys"])
def test_jobs_that_may_outlive_their_sweep(name: str) -> None:
    """Of a launcher that is not known nobody knows."""
    assert may_outlive({"launcher": name})
    known = {"launcher": name, "launcher_class": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"}
    assert not may_outlive(known)
    assert launcher_of(known) == "basic"
