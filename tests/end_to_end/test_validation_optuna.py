"""A sweeper that chooses as it goes: what it does not choose is checked at the start, each job as it starts."""

import pytest
from apps import App

pytestmark = pytest.mark.optuna

CONFIG = """
defaults:
  - callbacks: [validation_callback]
  - override hydra/sweeper: optuna
  - _self_
x: ???
double: ${x}
seed: 1
hydra:
  sweeper: {n_trials: 3, n_jobs: 1, params: {x: "range(1,3)"}}
  callbacks:
    validation_callback:
      forbid_missing: true
      json_schema: {properties: {seed: {type: integer}, x: {maximum: 0}, double: {minimum: 0}}}
"""
BODY = 'print("RAN", flush=True)\nreturn float(cfg.x)'


def test_a_mistake_in_what_is_not_chosen_stops_the_sweep(app: App) -> None:
    """No trial is started; what the sweeper will choose is not held against the config."""
    app.write(BODY, CONFIG)
    done = app.sweep("basic", "seed=a")
    assert done.code == 1
    assert done.stderr.endswith(
        'The sweep was not started, all its jobs have: 1 violation\n  seed = "a": must be of type integer\n'
    )
    assert "RAN" not in done.stdout


def test_a_trial_that_is_not_valid_never_runs(app: App) -> None:
    """The log says when trials are checked; the first that is not valid stops the sweep."""
    app.write(BODY, CONFIG)
    done = app.sweep("basic")
    assert done.code == 1
    assert "chooses its jobs as it goes" in done.stdout
    assert "Job 0 (x=" in done.stderr
    assert "must be at most 0" in done.stderr
    assert "RAN" not in done.stdout
    assert app.sweep("basic", "hydra.callbacks.validation_callback.json_schema=null").stdout.count("RAN") == 3
