"""On RQ, with workers that fork a process for each job: what is said of each job is true, and none is run twice."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from apps import HYDRA_VERSION, App
from engines.rq import Redis, redis, workers
from engines.sweeping import Sweep

pytestmark = pytest.mark.rq


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A redis-server."""
    with redis(tmp_path_factory.mktemp("redis")) as started:
        yield started


@pytest.fixture
def sweep(app: App, server: Redis) -> Iterator[Sweep]:
    """A sweep on a queue of its own with two workers; all that it has started is gone at the end."""
    made = Sweep(app, server.overrides(app.directory.name))
    with workers(server, app.directory.name, app.directory, 2, cwd=app.directory):
        yield made
        made.go()
        if made.process is not None and made.process.poll() is None:
            made.kill()


@pytest.mark.in_ci
def test_twelve_jobs_with_everything_on(sweep: Sweep) -> None:
    """Two run and the others are queued, and this is what is said; at the end all files tell all."""
    sweep.write()
    sweep.start("x=range(12)")
    sweep.begun(0)
    sweep.begun(1)
    assert sweep.statuses() == {0: "RUNNING", 1: "RUNNING"}
    sweep.nothing_is_run_twice()
    sweep.go()
    assert sweep.ended() == 0, sweep.said()
    done = dict.fromkeys(range(12), "COMPLETED")
    assert sweep.statuses() == sweep.tells() == sweep.tells("performance.json") == done
    rows = json.loads((sweep.root / "results.json").read_text())
    assert [row["return_value"] for row in rows] == [{"double": 2 * x} for x in range(12)]
    assert all(row["attempts"] == 1 and row["facts"]["resources"]["samples"] >= 1 for row in rows)
    assert "12/12 jobs done" in sweep.said()
    assert "Please report this as a bug" not in sweep.said()
    sweep.nothing_is_run_twice()


@pytest.mark.parametrize(
    ("strikes", "status"),
    [
        pytest.param('raise ValueError("boom")', "FAILED", id="raises"),
        pytest.param("sys.exit(3)", "FAILED" if HYDRA_VERSION >= (1, 4) else "INTERRUPTED", id="exits"),
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", "INTERRUPTED", id="killed", marks=pytest.mark.in_ci),
    ],
)
def test_a_job_goes_wrong(sweep: Sweep, strikes: str, status: str) -> None:
    """The job that goes wrong is told at once, those beside it go on, and the files tell all at the end."""
    sweep.write(f"if cfg.x == 1:\n    {strikes}")
    sweep.start("x=0,1,2,3")
    for x in range(3):
        sweep.begun(x)
    assert sweep.statuses() == {0: "RUNNING", 1: status, 2: "RUNNING"}
    sweep.nothing_is_run_twice(1)
    sweep.go()
    assert sweep.ended() == 1
    sweep.files_tell({0: "COMPLETED", 1: status, 2: "COMPLETED", 3: "COMPLETED"})
    sweep.nothing_is_run_twice(1)


@pytest.mark.parametrize("how", ["Ctrl-C", pytest.param("SIGKILL", marks=pytest.mark.in_ci)])
def test_the_sweeps_process_ends_and_its_jobs_go_on(sweep: Sweep, how: str) -> None:
    """Those that run are RUNNING, those that wait may still be queued, and no advice runs one of them a second time."""
    sweep.write()
    sweep.start("x=0,1,2,3")
    sweep.begun(0)
    sweep.begun(1)
    sweep.until(lambda: "Polling job statuses" in sweep.said(), "all to be queued")
    assert (sweep.interrupt() if how == "Ctrl-C" else sweep.kill()) == (-2 if how == "Ctrl-C" else -9)
    assert sweep.statuses() == {0: "RUNNING", 1: "RUNNING"}
    shown = sweep.command("show").output
    assert "queued" in shown
    assert "not started" not in shown
    sweep.nothing_is_run_twice()
    sweep.command("rerun", "--missing", "--execute", "--yes")
    assert sweep.statuses() == {0: "RUNNING", 1: "RUNNING"}
    sweep.go()
    sweep.begun(2)
    sweep.begun(3)
    expected = dict.fromkeys(range(4), "COMPLETED")
    sweep.until(lambda: sweep.statuses() == expected, "the last job's end")
    if how == "Ctrl-C":
        sweep.files_tell(expected)
    assert sweep.shown()["status"] == "COMPLETED"
    assert all(job["attempts"] == 1 for job in sweep.shown()["jobs"])
    sweep.nothing_is_run_twice()


def test_a_queue_without_a_sweep_is_emptied(sweep: Sweep, server: Redis) -> None:
    """Nobody here can tell that a job is no longer queued: only who says so gets it run again."""
    sweep.write()
    sweep.start("x=0,1,2,3")
    sweep.begun(0)
    sweep.begun(1)
    sweep.until(lambda: "Polling job statuses" in sweep.said(), "all to be queued")
    sweep.kill()
    subprocess.run(server.rq("empty", sweep.app.directory.name), check=True, capture_output=True)
    sweep.go()
    sweep.until(lambda: sweep.statuses() == dict.fromkeys(range(2), "COMPLETED"), "the two that ran")
    assert "queued" in sweep.command("show").output
    assert sweep.would_run_again("--missing") == []
    assert sweep.would_run_again("--missing", "--assume-gone") == [2, 3]


def test_a_worker_dies_with_its_job(sweep: Sweep) -> None:
    """A machine that is gone: its job is INTERRUPTED, and RQ's own `requeue` makes it attempt 2."""
    sweep.write()
    sweep.start("x=0,1,2")
    job = sweep.begun(0)
    sweep.begun(1)
    os.kill(job.pid, signal.SIGKILL)
    sweep.until(lambda: sweep.statuses()[0] == "INTERRUPTED", "the end of the killed job")
    sweep.begun(2)
    sweep.nothing_is_run_twice(0)
    sweep.go()
    assert sweep.ended() == 1
    sweep.files_tell({0: "INTERRUPTED", 1: "COMPLETED", 2: "COMPLETED"})
    sweep.nothing_is_run_twice(0)
