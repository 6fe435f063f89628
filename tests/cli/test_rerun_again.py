"""End to end: between the listing of jobs and their turn others may have seen to them, and no job is run twice."""

import subprocess
from pathlib import Path

from apps import App
from terminal import COMMAND, cli, environment

from hydra_callback_kit.journal.reader import read_run

CONFIG = "defaults: [{callbacks: [results_aggregator_callback]}, _self_]\nx: 0"
WAITS = """
if not os.path.exists("again"):
    raise ValueError("boom")
print("started", flush=True)
sys.stdin.readline()
"""


def started(command: list[str], cwd: Path) -> "subprocess.Popen[str]":
    """Starts a command, and returns when the job that it runs has started."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(command, cwd=cwd, env=environment(), text=True, **pipes)
    assert process.stdout is not None
    assert any("started" in line for line in process.stdout)
    return process


def test_what_others_have_started_meanwhile_is_left_out(app: App) -> None:
    """While job 0 is run again, somebody else runs job 1 to its end and starts job 2: both are left out, job 3 is run."""
    app.write(WAITS, CONFIG)
    done = app.run("-m", "x=0")
    assert done.code == 1
    done = app.sweep("basic", "x=0,1,2,3", "hydra.sweep.dir=out")
    run = read_run(done.root)
    assert [job.status for job in run.jobs] == ["FAILED"] * 4
    (app.directory / "again").touch()
    lines = cli("rerun", "out", cwd=app.directory).out.splitlines()
    execution = started([*COMMAND, "rerun", "out", "--execute"], app.directory)
    subprocess.run(["/bin/sh", "-c", lines[1]], cwd=app.directory, env=environment(), input="\n", text=True, check=True)
    other = started(["/bin/sh", "-c", f"exec {lines[2]}"], app.directory)
    _, errors = execution.communicate("\n\n", timeout=60)
    assert execution.returncode == 0, errors
    assert "Left out: job 1, for it has completed meanwhile." in errors
    assert f"Left out: job 2, for it runs now, as process {other.pid} on " in errors
    other.communicate("\n", timeout=60)
    run = read_run(done.root)
    assert [(job.status, job.attempts) for job in run.jobs] == [("COMPLETED", 2)] * 4


def test_a_job_that_failed_meanwhile_is_run_again(app: App) -> None:
    """Somebody else has run job 1, and it failed: it is still to be run."""
    app.write(WAITS + "\nif cfg.x == 1 and not os.path.exists('fixed'):\n    raise ValueError('still')", CONFIG)
    done = app.sweep("basic", "x=0,1")
    (app.directory / "again").touch()
    lines = cli("rerun", "out", cwd=app.directory).out.splitlines()
    execution = started([*COMMAND, "rerun", "out", "--execute"], app.directory)
    failed = subprocess.run(
        ["/bin/sh", "-c", lines[1]], cwd=app.directory, input="\n", text=True, capture_output=True, check=False
    )
    assert failed.returncode == 1
    (app.directory / "fixed").touch()
    _, errors = execution.communicate("\n\n", timeout=60)
    assert execution.returncode == 0, errors
    assert [(job.status, job.attempts) for job in read_run(done.root).jobs] == [("COMPLETED", 2), ("COMPLETED", 3)]


def test_of_several_at_once_one_runs_a_job(app: App) -> None:
    """Three people type the same at the same time: each job is run once, and who does not run it says who does."""
    app.write("if not os.path.exists('again'):\n    raise ValueError('boom')\ntime.sleep(1)", CONFIG)
    done = app.sweep("basic", "x=0,1")
    (app.directory / "again").touch()
    command = [*COMMAND, "rerun", "out", "--execute"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    at_once = [subprocess.Popen(command, cwd=app.directory, env=environment(), **pipes) for _ in range(3)]
    errors = [process.communicate(timeout=120)[1] for process in at_once]
    assert [process.returncode for process in at_once] == [0] * 3, errors
    assert [(job.status, job.attempts) for job in read_run(done.root).jobs] == [("COMPLETED", 2)] * 2
    left_out = [line for line in "".join(errors).splitlines() if line.startswith("Left out: job")]
    assert len(left_out) == 4
    assert not list(done.root.glob(".callbacks/again-*"))


def test_where_no_turn_can_be_taken_nothing_is_run(app: App) -> None:
    """A journal into which nothing can be written cannot tell either whether somebody else has the job."""
    app.write("raise ValueError('boom')", CONFIG)
    done = app.sweep("basic", "x=0")
    names = sorted(file.name for file in (done.root / ".callbacks").iterdir())
    full = ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *COMMAND, "rerun", "out", "--execute"]
    refused = subprocess.run(full, check=False, cwd=app.directory, env=environment(), capture_output=True, text=True)
    assert refused.returncode == 1
    assert "Nothing more is run: whether another rerun has job 0 cannot be found out" in refused.stderr
    assert sorted(file.name for file in (done.root / ".callbacks").iterdir()) == names
