"""What cannot be seen from here: what the commands say of it, and what they take it for when they are told to."""

import sys
from pathlib import Path

import pytest
from journals import a_job, a_run, as_of, write_job
from slurm import FakeSlurm, slurm
from terminal import cli

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.writer import write_line

__all__ = ["slurm"]
needs_scripts = pytest.mark.skipif(sys.platform == "win32", reason="Slurm's commands are scripts here")


@pytest.fixture
def run(tmp_path: Path) -> RunIdentity:
    """A sweep under the basic launcher, killed on node17 in its second job."""
    writer._files.clear()
    run = a_run(tmp_path / "sweep")
    command = {"program": [sys.executable, "app.py"], "command": [sys.executable, "app.py"], "cwd": str(tmp_path)}
    started = {"mode": "MULTIRUN", "launcher": "basic", "planned_jobs": 3, "planned_overrides": ["x=0,1,2"], **command}
    write_line(run, "run_started", started)
    write_job(run, 0, "COMPLETED")
    write_job(run, 1, None)
    as_of("node17", run.root)
    return run


def test_show_says_where_and_since_when(run: RunIdentity) -> None:
    """On the page of a run, in the list of runs, and for machines; it names --assume-gone, and does what that says."""
    shown = cli("show", run.root).out
    assert "sweep RUNNING: 1 completed, 1 running, 1 not started" in shown
    assert "on node17, silent for " in shown
    assert "--assume-gone" in shown
    listed = cli("show", run.root.parent).out
    assert "RUNNING" in listed
    assert "on node17, silent for " in listed
    assert "--assume-gone" in listed
    machine = cli("show", run.root, "--json").json()
    assert isinstance(machine, dict)
    assert (machine["host"], machine["silent_since"]) == ("node17", machine["jobs"][1]["silent_since"])
    assert machine["jobs"][0]["silent_since"] is None
    gone = cli("show", run.root, "--assume-gone").out
    assert "sweep INTERRUPTED: 1 completed, 1 interrupted, 1 not started" in gone
    assert "silent" not in gone
    assert "INTERRUPTED" in cli("show", run.root.parent, "--assume-gone").out


def test_failed_says_it_too(run: RunIdentity) -> None:
    """Nothing has failed as far as is known; the job that was killed is named with --assume-gone."""
    for path in (run.root, run.root.parent):
        said = cli("failed", path)
        assert said.code == 1
        assert "on node17, silent for " in said.err
        assert "--assume-gone" in said.err
        gone = cli("failed", path, "--assume-gone")
        assert (gone.code, "job 1 INTERRUPTED: x=1" in gone.out, gone.err) == (0, True, "")


def test_rerun_says_it_too(run: RunIdentity) -> None:
    """It leaves the job out, and what is missing."""
    for options in ((), ("--missing",)):
        said = cli("rerun", run.root, *options)
        assert said.out == ""
        assert "on node17, silent for " in said.err
        assert "--assume-gone" in said.err
    assert len(cli("rerun", run.root, "--missing", "--assume-gone").out.splitlines()) == 2


@needs_scripts
def test_squeue_is_asked_once_for_all_runs_and_only_where_something_is_unknown(run: RunIdentity, slurm: FakeSlurm) -> None:
    """A job that Slurm knows to be gone was interrupted, one that runs runs, one that was requeued waits."""
    for name in ("b", "c"):
        writer._files.clear()
        other = a_run(run.root.parent / name, f"20260102T000000-{name}")
        for num in range(3):
            batch = {"system": "slurm", "job": str(20 + num), "restarts": 0, "cluster": "here"}
            batch |= {"array_job": "20", "array_index": str(num)}
            write_line(other, "job_started", {"job_id": f"20_{num}", "batch": batch}, a_job(other, num))
        as_of("node18", other.root)
        writer._files.clear()
        write_line(other, "run_started", {"mode": "MULTIRUN", "launcher": "submitit_slurm", "planned_jobs": 4})
        write_line(other, "run_ended", {})
    slurm.says("20_0 20 RUNNING 0", "20_1 21 PENDING 1", "20_3 23 PENDING 0")
    shown = cli("show", run.root.parent / "b", "--json").json()
    assert isinstance(shown, dict)
    told = [(job["status"], job["waits"], job["silent_since"]) for job in shown["jobs"]]
    assert told == [("RUNNING", False, None), ("RUNNING", True, None), ("INTERRUPTED", False, None)]
    assert (shown["status"], shown["silent_since"], shown["jobs_queued"]) == ("RUNNING", None, [3])
    assert "waits in the queue" in cli("show", run.root.parent / "b").out
    assert (asked := slurm.asked()) == 2
    assert cli("show", run.root.parent).out.count("1 interrupted, 2 running, 1 queued") == 2
    assert slurm.asked() == asked + 1
    write_line(run, "job_ended", {"status": "COMPLETED"}, a_job(run, 1))
    write_line(run, "job_ended", {"status": "COMPLETED"}, a_job(run, 2))
    cli("show", run.root)
    assert slurm.asked() == asked + 1


@needs_scripts
def test_where_squeue_does_not_answer(run: RunIdentity, slurm: FakeSlurm) -> None:
    """Jobs that have left no line may still be queued, and nothing of it is taken for known."""
    writer._files.clear()
    other = a_run(run.root.parent / "b")
    write_line(other, "run_started", {"mode": "MULTIRUN", "launcher": "submitit_slurm", "planned_jobs": 4})
    write_line(other, "run_ended", {})
    slurm.says(code=1)
    shown = cli("show", other.root).out
    assert "RUNNING: no jobs, 4 may still be queued" in shown
    assert "4 jobs may still be queued (see --assume-gone)" in shown
    assert "INTERRUPTED: no jobs, 4 not started" in cli("show", other.root, "--assume-gone").out
