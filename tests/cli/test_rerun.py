"""End to end: a sweep that died is looked at, finished and collected."""

import contextlib
import csv
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from apps import App
from terminal import COMMAND, cli, environment

from hydra_callback_kit.journal.reader import read_run

CONFIG = """
defaults:
  - callbacks: [logging_callback, performance_callback, results_aggregator_callback]
  - _self_
x: 0
note: ""
db:
  password: none
"""
DIES_ONCE = """
if not os.path.exists("survive"):
    if cfg.x == 1:
        raise ValueError("boom")
    if cfg.x == 2:
        open("survive", "w").close()
        os.kill(int(os.environ["SWEEP"]), signal.SIGKILL)
        time.sleep(60)
assert cfg.note == 'a, "b" $c'
return {"double": 2 * cfg.x, "loss": float("nan")}
"""
SWEEP = "os.environ.setdefault('SWEEP', str(os.getpid()))"
NOTE = """note='a, "b" $c'"""


def test_a_sweep_killed_half_way_is_finished(app: App) -> None:
    """SIGKILL under joblib: show tells the truth, rerun --missing --execute finishes it, collect gives the full table."""
    app.write(DIES_ONCE, CONFIG, SWEEP)
    died = app.sweep("joblib", "hydra.launcher.n_jobs=1", "x=0,1,2,3,4", NOTE)
    assert died.code == -signal.SIGKILL

    shown = cli("show", "out", cwd=app.directory)
    assert shown.out.startswith("app  sweep INTERRUPTED: 1 completed, 1 failed, 1 interrupted, 2 not started\n")
    assert shown.words()[-3:] == [
        ["0", "COMPLETED", "0", *shown.words()[-3][3:5], "0", "nan"],
        ["1", "FAILED", "1", *shown.words()[-2][3:5]],
        ["2", "INTERRUPTED", "2", "?"],
    ]
    failed = cli("failed", "out", "--traceback", cwd=app.directory)
    assert "job 1 FAILED" in failed.out
    assert "ValueError: boom\n" in failed.out
    assert "in main" in failed.out
    assert "job 2 INTERRUPTED" in failed.out

    listed = cli("rerun", "out", cwd=app.directory)
    assert [line.count("hydra.job.num=") for line in listed.out.splitlines()] == [1, 1]
    assert "2 that never started" in listed.err
    executed = cli("rerun", "out", "--missing", "--execute", cwd=app.directory)
    assert executed.code == 0, executed.err
    assert f"5 completed in {died.root}" in executed.err

    run = read_run(died.root)
    assert (run.status, [job.status for job in run.jobs]) == ("COMPLETED", ["COMPLETED"] * 5)
    assert [job.attempts for job in run.jobs] == [1, 2, 2, 1, 1]
    assert [job.output_dir for job in run.jobs] == [died.root / str(num) for num in range(5)]
    assert len({file.name.partition(".")[0] for file in died.root.glob(".callbacks/*")}) == 1
    assert [job["status"] for job in died.json("performance.json")["jobs"]] == ["COMPLETED"] * 5
    assert [(job["status"], job["attempts"]) for job in died.json("results.json")][1:3] == [("COMPLETED", 2)] * 2
    assert "Job 3 COMPLETED" in died.log(3)

    collected = cli("collect", died.root, "-o", "all.csv", cwd=app.directory)
    assert collected.code == 0, collected.err
    with (app.directory / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["x"], row["note"], row["return_value.double"]) for row in rows] == [
        (str(x), 'a, "b" $c', str(2 * x)) for x in range(5)
    ]
    nothing = cli("rerun", "out", "--missing", cwd=app.directory)
    assert (nothing.code, nothing.out) == (1, "")
    assert cli("rerun", "out", "--missing", "--execute", cwd=app.directory).code == 0


def test_a_sweep_that_was_moved_is_finished_by_a_shell_and_by_xargs(app: App) -> None:
    """A shell and xargs run the lines from anywhere; nested directories, secrets and `python -m` are no obstacle."""
    app.write('if "FAIL" in os.environ:\n    raise ValueError(1)\nprint("secret", cfg.db.password)', CONFIG)
    sweep = ["-m", "x=0,1", "db.password=swordfish", "hydra.sweep.dir='a b'", "hydra.sweep.subdir='${hydra.job.num}/$c'"]
    command = [sys.executable, "-m", "app", "--config-name", "config", *sweep, "hydra.job.chdir=true"]
    subprocess.run(command, cwd=app.directory, env=app.environment(FAIL="1"), check=False, capture_output=True)
    moved = app.directory / "it's moved"
    shutil.move(app.directory / "a b", moved)

    refused = cli("rerun", moved)
    assert refused.code == 2
    assert "db.password=VALUE" in refused.err
    listed = cli("rerun", moved, "db.password=open_sesame")
    assert listed.code == 0, listed.err
    lines = listed.out.splitlines()
    assert len(lines) == 2
    for line, runs in zip(lines, (["/bin/sh"], ["/usr/bin/env", "xargs", "-L", "1", "env"]), strict=True):
        done = subprocess.run(
            runs, input=line, text=True, cwd="/", env=app.environment(), capture_output=True, check=True, timeout=60
        )
        assert "secret open_sesame" in done.stdout
    run = read_run(moved)
    assert [(job.status, job.attempts) for job in run.jobs] == [("COMPLETED", 2)] * 2
    assert [job.output_dir for job in run.jobs] == [moved / str(num) / "$c" for num in range(2)]
    assert not (app.directory / "a b").exists()
    assert not any("sesame" in file.read_text("utf-8") for file in moved.glob(".callbacks/*"))


def test_a_job_that_runs_again_is_running(app: App) -> None:
    """While one attempt more runs, the ended sweep is RUNNING again; --watch refreshes until it has ended."""
    app.write(
        'if not os.path.exists("again"):\n    raise ValueError("boom")\nprint("started", flush=True)\nsys.stdin.readline()',
        CONFIG,
    )
    done = app.sweep("basic", "x=0,1")
    assert (done.code, read_run(done.root).status) == (1, "FAILED")
    (app.directory / "again").touch()
    line = cli("rerun", "out", cwd=app.directory).out.splitlines()[0]
    job = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {line}"],
        cwd=app.directory,
        env=app.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert job.stdout is not None
    assert any("started" in said for said in job.stdout)
    run = read_run(done.root)
    assert (run.status, [job.status for job in run.jobs]) == ("RUNNING", ["RUNNING", "FAILED"])
    assert run.duration_s is not None
    left = cli("rerun", "out", "--missing", cwd=app.directory)  # nothing is missing, and nobody is there to start it
    assert (left.code, len(left.out.splitlines()), left.err) == (0, 1, "Left out: 1 that still runs.\n")
    assert len(cli("rerun", "out", cwd=app.directory).out.splitlines()) == 1

    watch, terminal = on_a_terminal("show", done.root, "--watch")
    seen = until(terminal, "RUNNING")
    job.communicate("go on\n", timeout=60)
    seen += until(terminal, "sweep FAILED")
    assert watch.wait(60) == 0
    os.close(terminal)
    assert seen.index("RUNNING") < seen.index("1 completed, 1 failed")


def test_an_execution_that_fails_goes_on_and_says_so(app: App) -> None:
    """One of two jobs fails again: the other runs, the exit code is 1, and on a terminal a bar shows how far it has come."""
    app.write('if cfg.x == 0 or not os.path.exists("again"):\n    raise ValueError("boom")', CONFIG)
    done = app.sweep("basic", "x=0,1")
    (app.directory / "again").touch()
    execution, terminal = on_a_terminal("rerun", done.root, "--execute", columns=200)
    seen = until(terminal, "job 0 failed with exit code 1")
    assert execution.wait(60) == 1
    os.close(terminal)
    assert "2/2" in seen
    assert "ValueError: boom" in seen
    assert [(job.status, job.attempts) for job in read_run(done.root).jobs] == [("FAILED", 2), ("COMPLETED", 2)]


def test_ctrl_c_lets_the_job_end_in_its_own_way(app: App) -> None:
    """On a terminal both get it: the job cleans up, however long that takes; what it leaves running is not waited for."""
    body = """
    if os.path.exists("again"):
        import subprocess
        subprocess.Popen(["sleep", "20"], start_new_session=True, stdin=subprocess.DEVNULL)
        try:
            print("sleeping", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            time.sleep(1)
            open("cleaned", "w").close()
            raise
    raise ValueError("boom")
    """
    app.write(body, CONFIG)
    done = app.sweep("basic", "x=0")
    (app.directory / "again").touch()
    execution, terminal = on_a_terminal("rerun", done.root, "--execute")
    until(terminal, "sleeping")
    os.killpg(execution.pid, signal.SIGINT)
    with contextlib.suppress(OSError):  # a terminal whose other end is closed
        while os.read(terminal, 1 << 16):
            pass
    assert execution.wait(15) != 0
    os.close(terminal)
    assert (app.directory / "cleaned").exists()
    assert read_run(done.root).jobs[0].status == "INTERRUPTED"


def test_a_single_run_is_run_again(app: App) -> None:
    """A run that was killed is one more attempt in the same directory, and stays a single run."""
    app.write('if not os.path.exists("again"):\n    os.kill(os.getpid(), signal.SIGKILL)\nreturn 0.5', CONFIG)
    done = app.run("x=3")
    (app.directory / "again").touch()
    assert cli("rerun", done.root, "--interrupted", "--execute").code == 0
    run = read_run(done.root)
    assert (run.mode, run.status, run.jobs[0].attempts, run.jobs[0].return_value) == ("RUN", "COMPLETED", 2, 0.5)
    assert done.json("performance.json")["mode"] == "RUN"
    assert "returned   0.5" in cli("show", done.root).out


def test_a_link_to_a_sweep_means_the_sweep(app: App) -> None:
    """`latest` will lead elsewhere: the printed command, used later, still speaks of the run that was looked at."""
    app.write("raise ValueError", CONFIG)
    done = app.run()
    (app.directory / "latest").symlink_to("out")
    said = cli("rerun", app.directory / "latest", cwd=app.directory)
    assert said.code == 0, said.err
    assert f"hydra.run.dir={done.root} " in said.out
    assert "latest" not in said.out
    assert f"directory  {done.root}\n" in cli("show", app.directory / "latest").out


def on_a_terminal(*arguments: str | Path, columns: int = 100) -> tuple[subprocess.Popen[bytes], int]:
    """Starts the command line on a terminal of its own; returns the process and the terminal's other end."""
    ours, theirs = pty.openpty()
    size = environment(COLUMNS=str(columns), LINES="40")
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    process = subprocess.Popen([*COMMAND, *map(str, arguments)], env=size, start_new_session=True, **streams)
    os.close(theirs)
    return process, ours


def until(terminal: int, text: str) -> str:
    """Reads a terminal until a text has appeared on it."""
    seen = b""
    while text not in plain(seen):
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux says so when nobody holds the other end any more
            chunk = b""
        if not chunk:
            pytest.fail(f"{text!r} never appeared in {plain(seen)}")
        seen += chunk
    return plain(seen)


def plain(seen: bytes) -> str:
    """What stands on a terminal, without its colours."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode("utf-8", "replace"))


def test_a_rerun_is_the_last_attempt_whatever_the_clock_says(app: App) -> None:
    """The first attempt ran on a machine whose clock is a hundred years ahead."""
    app.write("return 1 / cfg.x", "defaults: [{callbacks: [results_aggregator_callback]}, _self_]\nx: 0")
    done = app.run("-m", "x=0,1")
    for journal in (done.root / ".callbacks").iterdir():
        journal.write_text(re.sub('"time":"20', '"time":"21', journal.read_text("utf-8")), "utf-8")
    said = cli("rerun", done.root, "x=4", "--execute", cwd=app.directory)
    assert said.code == 0
    assert "2 completed" in said.err
    assert [job.return_value for job in read_run(done.root).jobs] == [0.25, 1.0]
    assert [job.attempts for job in read_run(done.root).jobs] == [2, 1]
