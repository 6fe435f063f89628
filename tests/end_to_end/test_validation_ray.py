"""Ray: a sweep that is not valid starts no job there either, and no cluster."""

import pytest
from apps import App

pytestmark = pytest.mark.ray

CONFIG = """
defaults:
  - callbacks: [validation_callback]
  - override hydra/launcher: ray
  - _self_
x: 0
hydra:
  launcher: {ray: {remote: {max_retries: 0}, init: {num_cpus: 2}}}
  callbacks: {validation_callback: {json_schema: {properties: {x: {maximum: 5}}}}}
"""


def test_a_mistake_is_reported_before_anything_runs(app: App) -> None:
    """In the app's own process, before Ray is started."""
    app.write('print("RAN")', CONFIG)
    done = app.sweep("basic", "hydra/launcher=ray", "x=1,9")
    assert done.code == 1
    assert (
        done.stderr.strip()
        == "The sweep was not started: 1 violation in 1 of 2 jobs\n  x = 9: must be at most 5\n    job 1 (x=9)"
    )
    assert [path.name for path in done.root.iterdir()] == [".callbacks"]


def test_a_job_that_was_not_known_never_runs(app: App) -> None:
    """The job ends with its worker, the other one runs, and the exit code is not 0."""
    app.write('print("RAN", cfg.x, file=open("ran", "a"))', CONFIG)
    done = app.sweep("basic", "x=9,1", "hydra.callbacks.validation_callback.check_sweep=false")
    assert done.code == 1
    assert "was not started: 1 violation" in done.log(0)
    assert (app.directory / "ran").read_text("utf-8") == "RAN 1\n"
