"""Sweeps in TensorBoard: each job's file, read back by TensorBoard itself."""

import pytest
from apps import App, without_numbers
from event_files import Session, sessions
from ranks import start_ranks, torchrun_rank
from tracker_app import ENDS, GOES_ON, REPORTS, damage_the_points, sync, write

from hydra_callback_kit.journal.reader import read_run

pytestmark = pytest.mark.tensorboard

BODY = REPORTS + ENDS


def test_twelve_jobs(launcher: str, app: App) -> None:
    """One of them fails, one is killed; each is a session with its scalars beside it."""
    write(app, "tensorboard_callback", BODY)
    app.sweep(launcher, "x=range(12)", "killed=11", timeout_s=300)
    root = app.directory / "out"
    if launcher == "basic":
        assert sync(root).endswith("12 jobs: 1 updated, 11 there already")
    assert sync(root).endswith("12 jobs: 12 there already")
    found = sessions(root)
    assert sorted(found) == sorted(f"{num}/tensorboard" for num in range(12))
    for num in range(12):
        session = found[f"{num}/tensorboard"]
        assert session.status == ("FAILURE" if num in (3, 11) else "SUCCESS")
        assert session.hparams == {"x": num, "killed": 11}
        assert session.scalars["val/loss"] == [(0, num), (10, num - 1), (20, num - 2)]
        if num not in (3, 11):
            assert session.scalars["final"] == [(20, num / 2)]
    assert b"hunter-two" not in b"".join(file.read_bytes() for file in root.rglob("events.*"))


def test_the_config_as_hyperparameters(app: App) -> None:
    """All of it, typed, and no secret."""
    write(app, "tensorboard_callback", "return cfg.x")
    done = app.run("x=2", "+y=null", "hydra.callbacks.tensorboard_callback.log_config=true")
    assert done.code == 0, done.stderr
    (session,) = sessions(done.root).values()
    hidden = {name: without_numbers(value) if isinstance(value, str) else value for name, value in session.hparams.items()}
    assert Session(hidden, session.scalars, session.status) == Session(
        {"x": 2, "y": "None", "killed": -1, "done": f"{app.directory}/done", "db.password": "<redacted>", "db.url": "postgres://me:<redacted>@host/db"},
        {"return_value": [(0, 2)]},
        "SUCCESS",
    )  # fmt: skip
    assert sync(done.root).endswith("1 job: 1 there already")


def test_a_sweep_that_ran_without(app: App) -> None:
    """All is written from its record, and once; a job that has its own file keeps it."""
    write(app, "performance_callback", BODY)
    done = app.sweep("basic", "x=2,3")
    assert sync(done.root, "--to", "tensorboard").endswith("2 jobs: 2 made")
    assert sync(done.root, "--to", "tensorboard").endswith("2 jobs: 2 there already")
    fine, failed = sessions(done.root).values()
    assert fine.scalars["val/loss"] == [(0, 2), (10, 1), (20, 0)]
    assert (fine.status, failed.status) == ("SUCCESS", "FAILURE")


def test_a_job_that_cannot_be_sent(app: App) -> None:
    """It is named, and the others have their files."""
    write(app, "performance_callback", "report_metrics(loss=cfg.x, step=1)\nreturn cfg.x")
    done = app.sweep("basic", "x=0,1,2")
    damage_the_points(done.root, 1)
    said = sync(done.root, "--to", "tensorboard", code=1)
    assert "3 jobs: 2 made, 1 not sent" in said
    assert "TensorBoard could not be told everything of job 1: ValueError: Invalid isoformat string: 'not " in said
    assert sorted(sessions(done.root)) == ["0/tensorboard", "2/tensorboard"]


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
    write(app, "tensorboard_callback,retry_callback", body)
    done = app.sweep("basic", "x=1")
    assert done.code == 0, done.stderr
    (session,) = sessions(done.root).values()
    expected = [(step, step + (step >= begins)) for step in range(0, 40, 10)]
    assert (session.scalars["loss"], session.status) == (expected, "SUCCESS")
    assert sync(done.root).endswith("1 job: 1 there already")


def test_a_sweep_that_goes_on(app: App) -> None:
    """`resume_callback` after the sweep's process was killed: each job is one run, and what came last counts."""
    write(app, "tensorboard_callback,resume_callback", GOES_ON)
    assert app.sweep("basic", "x=0,1,2").code == -9
    assert [session.status for session in sessions(app.directory / "out").values()] == ["SUCCESS", "UNKNOWN"]
    done = app.sweep("basic", "x=0,1,2")
    assert done.code == 0, done.stderr
    found = sessions(done.root)
    assert sorted(found) == [f"{num}/tensorboard" for num in range(3)]
    assert len(list(done.root.rglob("*tfevents*"))) == 3
    for num, session in enumerate(found.values()):
        assert (session.status, session.scalars["loss"]) == ("SUCCESS", [(0, num)])
    assert sync(done.root).endswith("3 jobs: 3 there already")


def test_the_ranks_of_a_job_are_one_run(app: App) -> None:
    """Rank 0 writes the file."""
    write(app, "tensorboard_callback", "report_metrics(loss=int(os.environ['RANK']), step=1)\nreturn 1")
    done = start_ranks(app, [torchrun_rank(0, 2), torchrun_rank(1, 2)])
    assert [each.code for each in done] == [0, 0], done
    (session,) = sessions(done[0].root).values()
    assert len(list(app.directory.rglob("*tfevents*"))) == 1
    assert (session.status, session.scalars["loss"]) == ("SUCCESS", [(1, 0)])
    assert sync(done[0].root).endswith("1 job: 1 there already")


def test_jobs_that_share_a_directory(app: App) -> None:
    """Each is a run of its own."""
    write(app, "tensorboard_callback", BODY)
    done = app.sweep("basic", "x=1,2", "hydra.sweep.subdir=same")
    assert done.code == 0, done.stderr
    assert sorted(sessions(done.root)) == ["same/tensorboard_0", "same/tensorboard_1"]
    assert sync(done.root).endswith("2 jobs: 2 there already")


def test_a_directory_that_cannot_be_written(app: App) -> None:
    """The job goes on, and its exit code is its own."""
    write(app, "tensorboard_callback", "report_metrics(loss=1)\nreturn cfg.x")
    (app.directory / "out").mkdir()
    (app.directory / "out" / "tensorboard").write_text("no directory")
    done = app.run("x=1")
    assert done.code == 0, done.stderr
    assert "tensorboard_callback" in done.log().lower() or "TensorboardCallback" in done.log()
    assert read_run(done.root).status == "COMPLETED"
