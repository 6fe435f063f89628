"""Sweeps in W&B with a server that answers as W&B's does: what has reached it, also when jobs are killed and it dies."""

import time

import pytest
from apps import App
from tracker_app import GOES_ON, sync, warnings_of
from wandb_app import by_num, no_settings_of_the_user, write
from wandb_server import wandb_server

from hydra_callback_kit.journal.reader import read_run

__all__ = ["no_settings_of_the_user"]  # a fixture

pytestmark = pytest.mark.wandb


def test_jobs_that_complete_fail_and_are_killed(app: App) -> None:
    """Each has a run that ended as it did, with all that was reported; once more nothing is sent."""
    write(app)
    with wandb_server() as server:
        done = app.sweep("joblib", "x=range(5)", "killed=4", **server.environment())
        runs = by_num(server)
        assert {num: run.exit_code for num, run in runs.items()} == {0: 0, 1: 0, 2: 0, 3: 1, 4: 1}, done.stdout
        assert len({run.group for run in runs.values()}) == 1
        for num, run in runs.items():
            reported = [(row["step"], row["val/loss"]) for row in run.rows if "val/loss" in row]
            assert reported == [(0, num), (10, num - 1), (20, num - 2)]
            own = [row["own"] for row in run.rows if "own" in row]
            assert own == [num] or num == 4, "W&B sends what was logged each quarter of a minute"
        assert runs[2].summary["final"] == 1
        assert runs[3].summary["hydra/error"] == "ValueError: boom"
        facts = [job.facts["wandb"] for job in read_run(done.root).jobs]
        assert [(fact["mode"], fact["sent"]) for fact in facts] == [("online", num != 4) for num in range(5)]
        before = [len(run.rows) for run in runs.values()]
        assert sync(done.root, **server.environment()).endswith("5 jobs: 5 there already")
        assert [len(run.rows) for run in by_num(server).values()] == before


def test_another_attempt_goes_on_in_the_same_run(app: App) -> None:
    """Its history has both, and it ends as the last one did."""
    body = """
    first = not os.path.exists(f"{cfg.done}-{cfg.x}")
    open(f"{cfg.done}-{cfg.x}", "w").close()
    report_metrics(loss=1 if first else 0, step=1)
    if first:
        raise ValueError("the first time")
    return cfg.x
    """
    write(app, body, callbacks="wandb_callback,retry_callback")
    with wandb_server() as server:
        done = app.sweep("basic", "x=1", **server.environment())
        assert done.code == 0, done.stderr
        (run,) = server.runs.values()
        assert [row["loss"] for row in run.rows if "loss" in row] == [1, 0]
        assert (run.exit_code, run.summary["return_value"], run.summary.get("hydra/error")) == (0, 1, None)


def test_a_sweep_that_goes_on(app: App) -> None:
    """`resume_callback` after the sweep's process was killed: the job's run goes on by its id, the others are left alone."""
    write(app, GOES_ON, callbacks="wandb_callback,resume_callback")
    with wandb_server() as server:
        assert app.sweep("basic", "x=0,1,2", **server.environment()).code == -9
        assert sorted(by_num(server)) == [0, 1]
        rows = len(by_num(server)[0].rows)
        done = app.sweep("basic", "x=0,1,2", **server.environment())
        assert done.code == 0, done.stderr
        runs = by_num(server)
        assert [(num, run.exit_code, run.summary["return_value"]) for num, run in runs.items()] == [
            (0, 0, 0),
            (1, 0, 1),
            (2, 0, 2),
        ]
        assert len({run.group for run in runs.values()}) == 1
        assert len(runs[0].rows) == rows
        assert [row["loss"] for row in runs[1].rows if "loss" in row][-1] == 1
        assert sync(done.root, **server.environment()).endswith("3 jobs: 3 there already")


def test_the_server_dies_in_the_middle(app: App) -> None:
    """The jobs and the exit code are untouched, nobody waits long, and what is missing is sent once a server is there."""
    body = """
    if cfg.x == 2:
        urllib.request.urlopen(os.environ["WANDB_BASE_URL"] + "/die")
    report_metrics(loss=cfg.x, step=1)
    wandb.log({"own": cfg.x})
    return cfg.x
    """
    write(app, body)
    with wandb_server() as server:
        started_s = time.monotonic()
        done = app.sweep("basic", "x=1,2,3", "hydra.callbacks.wandb_callback.timeout_s=4", **server.environment())
        assert time.monotonic() - started_s < 60
        assert done.code == 0, done.stderr
        (_,) = warnings_of(done)
        facts = [job.facts["wandb"] for job in read_run(done.root).jobs]
        assert [(fact["mode"], fact["sent"]) for fact in facts] == [("online", True), ("online", False), ("offline", False)]
    with wandb_server(int(server.uri.rpartition(":")[2])) as server:
        assert sync(done.root, **server.environment()).endswith("3 jobs: 1 made, 1 updated, 1 there already")
        assert {num: run.exit_code for num, run in by_num(server).items()} == {1: 0, 2: 0}
        assert [run.summary["return_value"] for run in by_num(server).values()] == [2, 3]
        assert sync(done.root, **server.environment()).endswith("3 jobs: 3 there already")
    with wandb_server() as another:
        assert sync(done.root, **another.environment()).endswith("3 jobs: 3 made")
        assert sorted(by_num(another)) == [0, 1, 2]
        assert sync(done.root, **another.environment()).endswith("3 jobs: 3 there already")
