"""Jobs that have left no line and may still come."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from hydra_callback_kit.journal.life import Found, Lookout, Sight
from hydra_callback_kit.journal.queue import Launched, Queue, queue_of


class Squeue:
    """A batch system that knows these jobs; None if it does not answer."""

    def __init__(self, jobs: Mapping[str, Found] | None) -> None:
        self.jobs = jobs

    def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
        """What is known of it."""
        return None if self.jobs is None else self.jobs.get(job, Found("gone", 0))


def queue(
    root: Path, launcher: str, ids: Mapping[int, str | None], jobs: Mapping[str, Found] | None, *, planned: int | None = 4
) -> Queue:
    """What may still be queued of a sweep."""
    (root / ".callbacks").mkdir(exist_ok=True)
    lookout = Lookout(root, Sight(batch_system=Squeue(jobs)), socket.gethostname())
    return queue_of(Launched({"launcher": launcher}, ids, planned, "2026-01-01T00:00:00+00:00", None), root, lookout)


def submitted(root: Path, *names: str) -> None:
    """The folders that submitit makes."""
    for name in names:
        (root / ".submitit" / name).mkdir(parents=True)


WAITS, RUNS = Found("waits", 0), Found("runs", 0)


@pytest.mark.parametrize("launcher", ["submitit_slurm", "rq", "somebodys"])
def test_without_anybody_to_ask(tmp_path: Path, launcher: str) -> None:
    """They may still be queued."""
    assert queue(tmp_path, launcher, {1: "7_1"}, None) == Queue(perhaps=frozenset({0, 2, 3}))


def test_what_slurm_has_refused(tmp_path: Path) -> None:
    """What was to be submitted lies there still, and nothing was: nobody waits for it. One that was killed may have."""
    (tmp_path / ".submitit").mkdir()
    (tmp_path / ".callbacks").mkdir()
    (tmp_path / ".submitit" / "submission_file_0a1b.sh").touch()
    lookout = Lookout(tmp_path, Sight(batch_system=Squeue(None)), socket.gethostname())
    ended, killed = (Launched({"launcher": "submitit_slurm"}, {}, 2, None, None, is_ended) for is_ended in (True, False))
    assert queue_of(ended, tmp_path, lookout) == Queue()
    assert queue_of(killed, tmp_path, lookout) == Queue(perhaps=frozenset({0, 1}))
    submitted(tmp_path, "7_0", "7_1")
    assert queue_of(ended, tmp_path, lookout) == Queue(perhaps=frozenset({0, 1}))


@pytest.mark.parametrize("launcher", ["basic", "joblib", "ray"])
def test_of_a_launcher_whose_jobs_die_with_the_sweep(tmp_path: Path, launcher: str) -> None:
    """None is left."""
    assert queue(tmp_path, launcher, {}, {}) == Queue()


def test_slurm_knows(tmp_path: Path) -> None:
    """By the array's id, which a job that has started has, or the folders that submitit has made."""
    jobs = {"7_1": RUNS, "7_2": WAITS}
    assert queue(tmp_path, "submitit_slurm", {0: "7_0"}, jobs) == Queue(frozenset({1, 2}))
    submitted(tmp_path, "7_0", "7_1", "7_2", "7_3", "7")
    assert queue(tmp_path, "submitit_slurm", {}, jobs) == Queue(frozenset({1, 2}))


def test_a_job_that_only_rerun_has_started_says_nothing_of_the_array(tmp_path: Path) -> None:
    """Its id is one that `rerun` has made up."""
    submitted(tmp_path, "7_0", "7_1", "7_2", "7_3", "7")
    ids = {0: "7_0", 1: "20260101T000000-aa_1"}
    assert queue(tmp_path, "submitit_slurm", ids, {"7_2": WAITS}) == Queue(frozenset({2}))


def test_several_arrays(tmp_path: Path) -> None:
    """A sweeper that launches in batches, the last of which is a job of its own."""
    submitted(tmp_path, "7_0", "7_1", "9_0", "9_1", "12", "9", "7")
    jobs = {"9_1": WAITS, "12": WAITS}
    assert queue(tmp_path, "submitit_slurm", {0: "7_0", 2: "9_0"}, jobs, planned=6) == Queue(frozenset({3, 4}))
    assert queue(tmp_path, "submitit_slurm", {0: "7_0", 2: "9_0"}, jobs, planned=None) == Queue(frozenset({3, 4}))


def test_what_was_not_handed_over_any_more_is_in_no_queue(tmp_path: Path) -> None:
    """The sweep's process was killed before."""
    submitted(tmp_path, "7_0", "7_1")
    assert queue(tmp_path, "submitit_slurm", {0: "7_0"}, None) == Queue(perhaps=frozenset({1}))


def test_folders_of_an_earlier_sweep_in_the_same_directory(tmp_path: Path) -> None:
    """They say nothing of this one."""
    submitted(tmp_path, "5_0", "5_1", "7_0", "7_1", "7_2", "7_3")
    for name in ("5_0", "5_1"):
        os.utime(tmp_path / ".submitit" / name, (0, 0))
    assert queue(tmp_path, "submitit_slurm", {1: "7_1"}, {"7_3": WAITS, "5_0": WAITS}) == Queue(frozenset({3}))


def test_folders_that_do_not_fit(tmp_path: Path) -> None:
    """The ids of the jobs that have started count."""
    submitted(tmp_path, "1_0", "7_0", "7_1", "7_2", "7_3")
    assert queue(tmp_path, "submitit_slurm", {1: "7_1"}, {"7_3": WAITS}) == Queue(frozenset({3}))


@pytest.mark.skipif(sys.platform == "win32", reason="submitit needs POSIX")
def test_submitits_own_processes_are_looked_for(tmp_path: Path) -> None:
    """Under `submitit_local` a job's id is the number of a process; one that it did not start is none of its."""
    submitted(tmp_path, "999999999", str(os.getppid()))
    assert queue(tmp_path, "submitit_local", {0: None}, {}) == Queue()
    command = [sys.executable, "-c", "print(flush=True); input()", "submitit"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        submitted(tmp_path, str(process.pid))
        assert queue(tmp_path, "submitit_local", {0: None}, {}) == Queue(perhaps=frozenset({1, 2, 3}))
        assert queue(tmp_path, "submitit_local", {0: str(process.pid)}, {}) == Queue()
        process.communicate(b"\n")


def test_a_sweep_that_was_not_let_run_has_no_queue(tmp_path: Path) -> None:
    """No job of it was handed over."""
    (tmp_path / ".callbacks").mkdir()
    facts = {"launcher": "rq", "aborted": "by a callback"}
    lookout = Lookout(tmp_path, Sight(), None)
    assert queue_of(Launched(facts, {}, 3, None, None), tmp_path, lookout) == Queue()
