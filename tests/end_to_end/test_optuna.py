"""End to end under the Optuna sweeper: run with `-m optuna`, in an environment that has the extra `optuna`."""

import pytest
from apps import App

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
