"""Optuna's sweeper goes on: it is told what is on record, and chooses what it would have chosen. Run with `-m optuna`."""

import re
from pathlib import Path

import pytest
from apps import App

from hydra_callback_kit import load_run

pytestmark = pytest.mark.optuna

CONFIG = """
defaults:
  - callbacks: [results_aggregator_callback, resume_callback]
  - override hydra/sweeper: optuna
  - override hydra/sweeper/sampler: random
  - _self_
x: 0
hydra:
  sweeper:
    n_jobs: 2
    sampler: {seed: 1}
    params: {x: 'interval(0.0, 9.0)'}
"""
TASK = """
with open("ran", "a") as log:
    log.write(f"{cfg.x}\\n")
if os.environ.get("DIE") and len(open("ran").readlines()) > 5:
    os._exit(9)
return float(cfg.x)
"""


def ran(app: App) -> list[str]:
    """The values that jobs ran with so far."""
    return Path(app.directory, "ran").read_text("utf-8").splitlines()


def test_more_trials(app: App) -> None:
    """Six, then nine: three are run, and what nine at once would have chosen; the best counts all of them."""
    app.write(TASK, CONFIG)
    assert app.run("-m", "hydra.sweeper.n_trials=6").code == 0
    done = app.run("-m", "hydra.sweeper.n_trials=9")
    assert done.code == 0, done.stderr
    went_on = ran(app)
    assert len(went_on) == 9
    assert "Not run again: 0-1 completed." in done.stdout
    run = load_run(done.root)
    assert (run.status, [job.job_num for job in run.jobs]) == ("COMPLETED", list(range(9)))
    assert run.facts["resumed"][-1]["taken_over"] == 6
    assert app.run("-m", "hydra.sweeper.n_trials=9", "hydra.sweep.dir=at_once").code == 0
    assert ran(app)[9:] == went_on
    best = [
        re.findall("best_value: (.*)", (app.directory / each / "optimization_results.yaml").read_text())
        for each in ("out", "at_once")
    ]
    assert best[0] == best[1]


def test_it_was_killed(app: App) -> None:
    """What had completed is not run again."""
    app.write(TASK, CONFIG)
    assert app.run("-m", "hydra.sweeper.n_trials=8", DIE="1").code == 9
    completed = [str(job.overrides["x"]) for job in load_run(app.directory / "out").jobs if job.status == "COMPLETED"]
    assert len(completed) == 5
    done = app.run("-m", "hydra.sweeper.n_trials=8")
    assert done.code == 0, done.stderr
    assert all(ran(app).count(x) == 1 for x in completed)
    assert len(ran(app)) == 9
    run = load_run(done.root)
    assert (run.status, len(run.jobs), [job.attempts for job in run.jobs]) == ("COMPLETED", 8, [1, 1, 1, 1, 1, 2, 1, 1])


LOSS = """
class Loss:
    def __init__(self, of): self.of = of
    def __float__(self): return float(self.of)
"""


def test_a_value_that_cannot_be_given_back_is_made_again(app: App) -> None:
    """With a word, and under the same number: Optuna would choose otherwise by a text, or not at all."""
    app.write(TASK.replace("float(cfg.x)", "Loss(cfg.x) if len(open('ran').readlines()) != 1 else cfg.x"), CONFIG, LOSS)
    assert app.run("-m", "hydra.sweeper.n_trials=2").code == 0
    done = app.run("-m", "hydra.sweeper.n_trials=3")
    assert done.code == 0, done.stderr
    assert "Job 1 is run again: of what it returned only a text is on record." in done.stdout
    jobs = load_run(done.root).jobs
    assert [(job.status, job.attempts) for job in jobs] == [("COMPLETED", attempts) for attempts in (1, 2, 1)]
    assert ran(app) == [str(jobs[num].overrides["x"]) for num in (0, 1, 1, 2)]
