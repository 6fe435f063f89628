"""End to end under the Optuna sweeper: run with `-m optuna`, in an environment that has the extra `optuna`."""

import pytest
from apps import App
from terminal import cli

from hydra_callback_kit.journal.reader import read_run

pytestmark = pytest.mark.optuna


def test_every_trial_has_a_row(app: App) -> None:
    """Trials are launched batch by batch: each has its row and its value, and best.json agrees with Optuna."""
    app.write(
        "return (cfg.x - 1.5) ** 2",
        "defaults:\n  - callbacks: [results_aggregator_callback]\n  - _self_\nx: 0.0",
    )
    option = "hydra.callbacks.results_aggregator_callback"
    done = app.run(
        *("-m", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=5", "hydra.sweeper.n_jobs=2"),
        *("x=interval(1.0,3.0)", f"{option}.sort_by=return_value", f"{option}.mode=min"),
    )
    assert done.code == 0, done.stderr
    rows = done.json("results.json")
    assert [row["job_num"] for row in rows] == [0, 1, 2, 3, 4]
    assert all(row["return_value"] == pytest.approx((row["overrides"]["x"] - 1.5) ** 2) for row in rows)
    assert f"Best value: {done.json('best.json')['return_value']}" in done.stdout


SEEDED = ("hydra/sweeper=optuna", "hydra.sweeper.n_trials=6", "hydra.sweeper.n_jobs=2", "x=interval(1.0,3.0)")
DIES_AT_4 = """
open("ran", "a").write(f"{hydra.core.hydra_config.HydraConfig.get().job.num}")
if not os.path.exists("again") and hydra.core.hydra_config.HydraConfig.get().job.num == 4:
    os.kill(os.getpid(), signal.SIGKILL)
return (cfg.x - 1.5) ** 2
"""


def test_a_search_goes_on(app: App) -> None:
    """Killed in the fifth of six trials: the four that have completed are told to Optuna, and not run again."""
    app.write(DIES_AT_4, "defaults: [{callbacks: [results_aggregator_callback]}, _self_]\nx: 0.0")
    done = app.run("-m", *SEEDED, "hydra.sweeper.sampler.seed=1")
    before = read_run(done.root)
    assert [job.status for job in before.jobs] == ["COMPLETED"] * 4 + ["INTERRUPTED"]
    (app.directory / "again").touch()
    assert "add --missing" in cli("rerun", "out", "--launcher", cwd=app.directory).err
    assert "With --launcher it goes on" in cli("rerun", "out", "--missing", cwd=app.directory).err
    said = cli("rerun", "out", "--launcher", "--missing", "--execute", cwd=app.directory)
    assert said.code == 0, said.err
    run = read_run(done.root)
    assert (run.run_id, run.status) == (before.run_id, "COMPLETED")
    assert [job.attempts for job in run.jobs] == [1, 1, 1, 1, 2, 1]
    assert (app.directory / "ran").read_text() == "01234" + "45"
    assert f"Best value: {min(job.return_value for job in run.jobs)}" in said.out
    assert cli("rerun", "out", "--launcher", "--missing", cwd=app.directory).code == 1


def test_a_search_without_a_seed_does_not_go_on(app: App) -> None:
    """It would be another search: nothing is started, nothing is written over, and the message says what helps."""
    app.write(DIES_AT_4, "defaults: [{callbacks: [results_aggregator_callback]}, _self_]\nx: 0.0")
    done = app.run("-m", *SEEDED)
    before = read_run(done.root)
    (app.directory / "again").touch()
    said = cli("rerun", "out", "--launcher", "--missing", "--execute", cwd=app.directory)
    assert said.code == 1
    assert "needs a seed" in said.err
    after = read_run(done.root)
    assert [(job.status, job.task_overrides, job.attempts) for job in after.jobs] == [
        (job.status, job.task_overrides, job.attempts) for job in before.jobs
    ]
