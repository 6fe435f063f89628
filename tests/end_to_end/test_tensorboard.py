"""Sweeps in TensorBoard: each job's file, read back by TensorBoard itself."""

import subprocess
import sys
from pathlib import Path

import pytest
from apps import App, without_numbers
from event_files import Session, sessions

from hydra_callback_kit.journal.reader import read_run

pytestmark = pytest.mark.tensorboard

BODY = """
for step in range(3):
    report_metrics({"val/loss": cfg.x - step}, step=step * 10)
open(f"{cfg.done}-{cfg.x}", "w").close()
if cfg.x == 3:
    raise ValueError("boom")
if cfg.x == cfg.killed:
    while not all(os.path.exists(f"{cfg.done}-{x}") for x in range(cfg.killed)):
        time.sleep(0.1)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
return {"final": cfg.x / 2, "deep": {"nan": float("nan"), "name": "x"}}
"""
CONFIG = """
defaults: [{callbacks: [tensorboard_callback]}, _self_]
x: 0
y: null
killed: -1
done: done
db: {password: hunter-two, url: "postgres://me:${db.password}@host/db"}
"""
PREAMBLE = "from hydra_callback_kit import report_metrics"


def sync(root: Path, *arguments: str) -> str:
    """What the command says."""
    command = [sys.executable, "-m", "hydra_callback_kit", "sync", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


def test_twelve_jobs(launcher: str, app: App) -> None:
    """One of them fails, one is killed; each is a session with its scalars beside it."""
    app.write(BODY, CONFIG, PREAMBLE)
    app.sweep(launcher, "x=range(12)", "killed=11", f"done={app.directory}/done", timeout_s=300)
    root = app.directory / "out"
    if launcher == "basic":
        assert sync(root).endswith("12 jobs: 1 updated, 11 there already")
    assert sync(root).endswith("12 jobs: 12 there already")
    found = sessions(root)
    assert sorted(found) == sorted(f"{num}/tensorboard" for num in range(12))
    for num in range(12):
        session = found[f"{num}/tensorboard"]
        assert session.status == ("FAILURE" if num in (3, 11) else "SUCCESS")
        assert session.hparams == {"x": num, "killed": 11, "done": f"{app.directory}/done"}
        assert session.scalars["val/loss"] == [(0, num), (10, num - 1), (20, num - 2)]
        if num not in (3, 11):
            assert session.scalars["final"] == [(20, num / 2)]
    assert b"hunter-two" not in b"".join(file.read_bytes() for file in root.rglob("events.*"))


def test_the_config_as_hyperparameters(app: App) -> None:
    """All of it, typed, and no secret."""
    app.write("return cfg.x", CONFIG, PREAMBLE)
    done = app.run("x=2", "hydra.callbacks.tensorboard_callback.log_config=true")
    assert done.code == 0, done.stderr
    (session,) = sessions(done.root).values()
    hidden = {name: without_numbers(value) if isinstance(value, str) else value for name, value in session.hparams.items()}
    assert Session(hidden, session.scalars, session.status) == Session(
        {"x": 2, "y": "None", "killed": -1, "done": "done", "db.password": "<redacted>", "db.url": "postgres://me:<redacted>@host/db"},
        {"return_value": [(0, 2)]},
        "SUCCESS",
    )  # fmt: skip
    assert sync(done.root).endswith("1 job: 1 there already")


def test_a_sweep_that_ran_without(app: App) -> None:
    """All is written from its record, and once; a job that has its own file keeps it."""
    app.write(BODY, CONFIG.replace("tensorboard_callback", "performance_callback"), PREAMBLE)
    done = app.sweep("basic", "x=2,3")
    assert sync(done.root, "--to", "tensorboard").endswith("2 jobs: 2 made")
    assert sync(done.root, "--to", "tensorboard").endswith("2 jobs: 2 there already")
    fine, failed = sessions(done.root).values()
    assert fine.scalars["val/loss"] == [(0, 2), (10, 1), (20, 0)]
    assert (fine.status, failed.status) == ("SUCCESS", "FAILURE")


@pytest.mark.parametrize("begins", [0, 20])
def test_another_attempt_goes_on_in_the_same_file(app: App, begins: int) -> None:
    """What the first one has reported counts up to the step at which the second begins."""
    body = f"""
    first = not os.path.exists(cfg.done)
    open(cfg.done, "w").close()
    for step in range(0 if first else {begins}, 40, 10):
        report_metrics(loss=step + (0 if first else 1), step=step)
    if first:
        raise ValueError("the first time")
    """
    app.write(body, CONFIG.replace("[tensorboard_callback]", "[tensorboard_callback, retry_callback]"), PREAMBLE)
    done = app.sweep("basic", "x=1", f"done={app.directory}/done")
    assert done.code == 0, done.stderr
    (session,) = sessions(done.root).values()
    expected = [(step, step + (step >= begins)) for step in range(0, 40, 10)]
    assert (session.scalars["loss"], session.status) == (expected, "SUCCESS")
    assert sync(done.root).endswith("1 job: 1 there already")


def test_jobs_that_share_a_directory(app: App) -> None:
    """Each is a run of its own."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.sweep("basic", "x=1,2", "hydra.sweep.subdir=same")
    assert done.code == 0, done.stderr
    assert sorted(sessions(done.root)) == ["same/tensorboard_0", "same/tensorboard_1"]
    assert sync(done.root).endswith("2 jobs: 2 there already")


def test_a_directory_that_cannot_be_written(app: App) -> None:
    """The job goes on, and its exit code is its own."""
    app.write("report_metrics(loss=1)\nreturn cfg.x", CONFIG, PREAMBLE)
    (app.directory / "out").mkdir()
    (app.directory / "out" / "tensorboard").write_text("no directory")
    done = app.run("x=1")
    assert done.code == 0, done.stderr
    assert "tensorboard_callback" in done.log().lower() or "TensorboardCallback" in done.log()
    assert read_run(done.root).status == "COMPLETED"
