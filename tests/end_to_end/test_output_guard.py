"""End to end: a directory that holds a run is not run into a second time."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from apps import ON_LAUNCHER, App
from namespaces import in_a_namespace
from terminal import cli

from hydra_callback_kit.journal.format import MAX_LINE
from hydra_callback_kit.journal.reader import read_runs, run_ids

CONFIG = """
defaults:
  - callbacks: [logging_callback, performance_callback, output_guard_callback]
  - _self_
x: 0
"""
GUARD = "hydra.callbacks.output_guard_callback"


@pytest.mark.parametrize("mode", ["run", "sweep"])
def test_a_finished_run_is_not_overwritten(app: App, mode: str) -> None:
    """The second start is refused with whose run it is; nothing of the first changes, in any order of callbacks."""
    app.write("print('RAN', cfg.x)", CONFIG)
    arguments = [] if mode == "run" else ["-m"]
    assert app.run(*arguments, "x=1").code == 0
    root = app.directory / "out"
    before = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    done = app.run(*arguments, "x=2")
    assert done.code == 1
    assert f"The run was refused: {root} already holds a run that is COMPLETED: 1 completed\n  started by " in done.stderr
    assert "x=1" in done.stderr
    assert f"Choose another hydra.{mode}.dir" in done.stderr
    assert "Traceback" not in done.stderr
    assert "RAN" not in done.stdout
    assert {file: file.read_bytes() for file in root.rglob("*") if file.is_file()} == before
    warned = app.run(*arguments, "x=2", f"{GUARD}.policy=warn")
    assert warned.code == 0
    assert "already holds a run that is COMPLETED" in warned.stdout
    assert [run.jobs[0].overrides["x"] for run in read_runs(root)] == [1, 2]


def test_of_two_that_start_at_once_one_wins(app: App) -> None:
    """Six processes start in the same empty directory: one runs, five say that it does."""
    app.write("print('RAN', flush=True); input()", CONFIG)
    started = [app.start() for _ in range(6)]
    refused = []
    while len(refused) < 5:
        refused = [process for process in started if process.poll() is not None]
    (winner,) = (process for process in started if process.poll() is None)
    assert all("already holds a run that " in process.communicate()[1] for process in refused)
    assert {process.returncode for process in refused} == {1}
    output, _ = winner.communicate("\n", timeout=60)
    assert winner.returncode == 0
    assert "RAN" in output
    assert len(run_ids(app.directory / "out")) == 1


def test_an_interrupted_run_may_be_started_again_and_jobs_rerun(app: App) -> None:
    """A killed run's directory is free, a failed one's is not; `rerun` of its job is no other run."""
    app.write("if cfg.x == 1:\n    os.kill(os.getpid(), signal.SIGKILL)\nif cfg.x == 2:\n    raise ValueError", CONFIG)
    assert app.run("x=1").code == -signal.SIGKILL
    assert app.run("x=2").code == 1
    assert "already holds a run that is FAILED: 1 failed" in app.run("x=3").stderr
    done = cli("rerun", app.directory / "out", "x=0", "--execute", cwd=app.directory)
    assert done.code == 0, done.err
    assert read_runs(app.directory / "out")[-1].status == "COMPLETED"


@pytest.mark.parametrize("mode", ["run", "sweep"])
def test_a_run_that_ctrl_c_has_ended_may_be_started_again(app: App, mode: str) -> None:
    """It is INTERRUPTED, not FAILED, although its end is on record."""
    app.write("if cfg.x == 1:\n    raise KeyboardInterrupt", CONFIG)
    arguments = [] if mode == "run" else ["-m"]
    first = app.run(*arguments, "x=1")
    assert first.code != 0
    assert read_runs(first.root)[-1].status == "INTERRUPTED"
    assert app.run(*arguments, "x=2").code == 0


def test_a_requeued_job_is_not_refused(app: App) -> None:
    """Slurm starts a job again whose first attempt looks as if it still ran on another machine; a second job it refuses.

    It is the same run, and another attempt at it.
    """
    slurm = {"SLURM_JOB_ID": "77"}
    app.write("os.kill(os.getpid(), signal.SIGKILL)", CONFIG)
    app.run(**slurm)
    root = app.directory / "out"
    for file in root.glob(".callbacks/*.json*"):
        file.write_text(
            re.sub(f'"host":( ?)"{socket.gethostname()}"', r'"host":\1"other"', file.read_text("utf-8")), "utf-8"
        )
    app.write("print('RAN')", CONFIG)
    assert "already holds a run that still runs" in app.run(SLURM_JOB_ID="78").stderr
    requeued = app.run(**slurm, SLURM_RESTART_COUNT="1")
    assert requeued.code == 0, requeued.stderr
    (again,) = read_runs(root)
    assert (again.status, [job.attempts for job in again.jobs]) == ("COMPLETED", [2])
    (claim,) = root.glob(".callbacks/claim-*.json")
    assert json.loads(claim.read_text("utf-8"))["start"] == ["slurm 77", [0, -1, 0]]


def test_what_is_left_without_a_record_is_a_run_too(app: App) -> None:
    """A run of Hydra without this package is not overwritten either; a directory with other files is free."""
    app.write("print('RAN')", CONFIG)
    (app.directory / "out").mkdir()
    (app.directory / "out" / "notes.txt").write_text("mine")
    assert app.run("callbacks=[]").code == 0
    refused = app.run()
    assert refused.code == 1
    assert "already holds what a run without a record has left: .hydra\n" in refused.stderr


def test_where_nothing_can_be_recorded_that_is_said_once(app: App) -> None:
    """By all callbacks together; the job runs, unless the guard has to know whose directory it is."""
    app.write(
        "print('RAN')", CONFIG.replace("output_guard", "results_aggregator_callback, thread_safe_callback, output_guard")
    )
    (app.directory / "out").mkdir()
    (app.directory / "out" / ".callbacks").write_text("a file", "utf-8")
    refused = app.run()
    assert (refused.code, refused.stdout.count("RAN")) == (1, 0)
    assert refused.stderr.startswith(f"The run was refused: {refused.root} cannot be claimed: ")
    assert "Choose another hydra.run.dir" in refused.stderr
    done = app.run(f"{GUARD}.policy=warn")
    assert (done.code, done.stdout.count("RAN")) == (0, 1)
    assert done.stdout.count("cannot be claimed") == 1
    assert done.stdout.count("cannot be written") == 1
    assert done.stdout.count("Nothing of the run could be recorded") == 1
    assert "could not do its work" not in done.stdout


def test_a_full_disk_is_refused(app: App) -> None:
    """More free bytes are asked for than any disk has: no directory is made, and the message says what to do."""
    app.write("print('RAN')", CONFIG)
    done = app.run(f"{GUARD}.min_free_bytes={sys.maxsize}")
    assert done.code == 1
    assert f"min_free_bytes={sys.maxsize} asks for" in done.stderr
    assert not done.root.exists()
    assert app.run(f"{GUARD}.min_free_bytes=1").code == 0


def test_a_claim_that_cannot_be_read_is_somebodys(app: App) -> None:
    """The run is refused, and the message says what to do."""
    app.write("print('RAN')", CONFIG)
    (app.directory / "out" / ".callbacks").mkdir(parents=True)
    (app.directory / "out" / ".callbacks" / "claim-1.json").write_text("{")
    done = app.run()
    assert (done.code, "RAN" in done.stdout) == (1, False)
    assert "claim-1.json cannot be read" in done.stderr
    assert "Remove that file if it is not.\nChoose another hydra.run.dir, " in done.stderr
    warned = app.run(f"{GUARD}.policy=warn")
    assert (warned.code, "RAN" in warned.stdout) == (0, True)
    assert "Remove that file if it is not.\nChoose another hydra.run.dir, " in warned.stdout


@pytest.mark.parametrize("kept", [".callbacks/claim-1.json", ".callbacks"])
def test_what_another_user_keeps_to_themselves_is_theirs(app: App, kept: str) -> None:
    """Their umask is 077: neither their claim nor the directory of the claims can be read, and whose it is is said."""
    app.write("if cfg.x == 1:\n    os.kill(os.getpid(), signal.SIGKILL)\nprint('RAN')", CONFIG)
    assert app.run("x=1").code == -signal.SIGKILL
    file = app.directory / "out" / kept
    owner = file.owner()
    file.chmod(0o333 if kept == ".callbacks" else 0)  # who can write there could make a claim of their own
    unprivileged = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*unprivileged, *app.command("x=2")],
        cwd=app.directory,
        env=app.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    file.chmod(0o755)
    assert (done.returncode, "RAN" in done.stdout) == (1, False)
    assert f"{file} cannot be read (Permission denied; it belongs to {owner})" in done.stderr
    assert f"Ask {owner}, or make it readable.\nChoose another hydra.run.dir, " in done.stderr
    assert app.run("x=2").code == 0


OUT_OF_SIGHT = "Whether it still runs cannot be seen from here"


@pytest.mark.parametrize("recorded", [True, False])
def test_a_run_of_a_machine_that_cannot_be_seen_is_refused_with_what_to_do(app: App, recorded: bool) -> None:
    """As in a pod that is no more: nobody can tell from here that it is gone, and the message says how the user can."""
    app.write("if cfg.x == 1:\n    os.kill(os.getpid(), signal.SIGKILL)\nprint('RAN')", CONFIG)
    app.run("x=1")
    root = app.directory / "out"
    for file in root.glob(".callbacks/*.json*"):
        text = re.sub(f'"host":( ?)"{socket.gethostname()}"', r'"host":\1"pod-7f\\u001b[31m"', file.read_text("utf-8"))
        file.write_text(text, "utf-8")
        if file.suffix == ".jsonl" and not recorded:
            file.unlink()
    refused = app.run("x=2")
    assert (refused.code, "RAN" in refused.stdout) == (1, False)
    assert f"a run that {'still runs' if recorded else 'is just starting'}" in refused.stderr
    assert r" on pod-7f\x1b[31m (process " in refused.stderr
    assert OUT_OF_SIGHT in refused.stderr
    again = f"hydra-callback-kit rerun {root} --assume-gone"
    assert (again in refused.stderr) is recorded
    assert f"or run all the same with {GUARD}.policy=warn" in refused.stderr
    if recorded:
        done = cli(*again.split()[1:], "x=0", "--execute", cwd=app.directory)
        assert done.code == 0, done.err
        assert read_runs(root)[-1].status == "COMPLETED"
    else:
        assert app.run("x=2", f"{GUARD}.policy=warn").code == 0


@pytest.mark.namespaces
def test_of_two_containers_in_one_directory_one_wins(app: App) -> None:
    """Each is process 1 of the same host name; a third, on the machine itself, cannot see whether the winner lives."""
    app.write("print('RAN', flush=True); input()", CONFIG)
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    both = [
        subprocess.Popen(
            in_a_namespace(app.command()),
            cwd=app.directory,
            env=app.environment(),
            text=True,
            start_new_session=True,
            **pipes,
        )
        for _ in range(2)
    ]
    while all(process.poll() is None for process in both):
        time.sleep(0.05)
    loser, winner = sorted(both, key=lambda process: process.poll() is None)
    assert winner.poll() is None
    output, errors = loser.communicate()
    assert (loser.returncode, "RAN" in output) == (1, False)
    assert OUT_OF_SIGHT in errors
    refused = app.run()
    assert (refused.code, "RAN" in refused.stdout) == (1, False)
    assert OUT_OF_SIGHT in refused.stderr
    assert winner.stdout is not None
    assert "RAN\n" in winner.stdout
    winner.kill()
    winner.communicate()
    assert OUT_OF_SIGHT in app.run().stderr
    (run,) = read_runs(app.directory / "out")
    assert run.status == "RUNNING"
    app.write("print('RAN')", CONFIG)
    done = cli("rerun", app.directory / "out", "--assume-gone", "--execute", cwd=app.directory)
    assert done.code == 0, done.err
    (run,) = read_runs(app.directory / "out")
    assert run.status == "COMPLETED"


@pytest.mark.parametrize("odd", ["broken", "deep", "newer", "long", "pipe", "directory"])
def test_a_journal_that_cannot_be_read_whole_opens_nothing(app: App, odd: str) -> None:
    """What it hides may be a finished run: refused, with the place and what to do. A torn last line hides nothing."""
    app.write("if cfg.x == 1:\n    os.kill(os.getpid(), signal.SIGKILL)\nprint('RAN')", CONFIG)
    root = app.directory / "out"
    assert app.run("x=1").code == -signal.SIGKILL
    (journal,) = root.glob(".callbacks/*.jsonl")
    with journal.open("ab") as file:
        file.write(b'{"v":1,"torn')
    assert app.run("x=1").code == -signal.SIGKILL
    lines = {"broken": b"{", "deep": b"[" * 100_000, "newer": b'{"v":2}', "long": b" " * MAX_LINE}
    named = root / ".callbacks" / "another\x1b[31m.jsonl"
    if odd == "pipe":
        os.mkfifo(named)
    elif odd == "directory":
        named.mkdir()
    else:
        named.write_bytes(lines[odd] + b"\n")
    refused = app.run("x=2")
    assert (refused.code, "RAN" in refused.stdout) == (1, False)
    assert f"{root} already holds a journal that cannot be read whole" in refused.stderr
    assert "another\\x1b[31m.jsonl:1: " in refused.stderr
    assert "\x1b" not in refused.stderr
    assert f"{GUARD}.policy=warn" in refused.stderr
    warned = app.run("x=2", f"{GUARD}.policy=warn")
    assert (warned.code, "RAN" in warned.stdout) == (0, True)
    assert "cannot be read whole" in warned.stdout
    assert "\x1b" not in warned.stdout


def test_what_others_have_claimed_controls_no_terminal(app: App) -> None:
    """The command and the user that a claim names are anybody's text."""
    app.write("return 1", CONFIG)
    done = app.run()
    (claim,) = done.root.glob(".callbacks/claim-*.json")
    hostile = {**json.loads(claim.read_text("utf-8")), "command": "\x1b]0;x\x07\u202e", "user": "\x9b31m\nroot"}
    claim.write_text(json.dumps(hostile), "utf-8")
    for said in (app.run().stderr, app.run(f"{GUARD}.policy=warn").stdout):
        assert r"\x1b]0;x\x07\u202e" in said
        assert not set("\x1b\x07\x9b\u202e") & set(said)


def test_jobs_that_outlive_their_sweep_keep_others_out(app: App) -> None:
    """Ctrl-C ends the sweep's process, and submitit's jobs go on: they are RUNNING, and nobody else gets their directory."""
    app.write(
        "pathlib.Path(hydra.utils.get_original_cwd(), 'begun').touch()\ntime.sleep(cfg.s)",
        "defaults: [{callbacks: [output_guard_callback]}, _self_]\ns: 20",
        "import pathlib",
    )
    sweep = app.command("-m", "s=30", *ON_LAUNCHER["submitit_local"])
    started = subprocess.Popen(sweep, cwd=app.directory, env=app.environment(), start_new_session=True)
    deadline = time.monotonic() + 60
    while not (app.directory / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    assert started.wait(60) != 0
    assert "RUNNING: 1 running" in cli("show", "out", cwd=app.directory).out
    assert "Left out: 1 that still runs." in cli("rerun", "out", cwd=app.directory).err
    second = app.run("-m", "s=0")
    assert second.code == 1
    assert "already holds a run that still runs" in second.stderr
    (job,) = read_runs(app.directory / "out")[-1].jobs
    assert job.pid is not None
    os.kill(job.pid, signal.SIGKILL)
