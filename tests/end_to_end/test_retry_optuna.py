"""Trials that are started again under Optuna's sweeper: run with `-m optuna`."""

import pytest
from apps import App

from hydra_callback_kit import load_run

pytestmark = pytest.mark.optuna

CONFIG = """
defaults:
  - callbacks: [retry_callback]
  - override hydra/sweeper: optuna
  - _self_
x: 0
hydra:
  sweeper:
    n_trials: 6
    n_jobs: 3
    max_failure_rate: 1.0
    sampler: {seed: 1}
    params: {x: 'range(0, 9)'}
"""
BODY = """
from pathlib import Path
import optuna
from hydra.core.hydra_config import HydraConfig
num = HydraConfig.get().job.num
before = len(list(Path(os.environ["RAN"]).glob(f"{num}-*")))
Path(os.environ["RAN"], f"{num}-{before}").touch()
if num == 1:
    raise optuna.TrialPruned
if num % 2 and not before:
    raise OSError("once")
return float(cfg.x)
"""


def test_a_trial_that_fails_is_started_again_and_a_pruned_one_is_not(app: App) -> None:
    """Each with the values that Optuna has chosen for it; what the sweeper gets is the value of the last attempt."""
    app.write(BODY, CONFIG)
    ran = app.directory / "ran"
    ran.mkdir()
    done = app.run("-m", RAN=str(ran))
    assert done.code == 0, done.stderr
    attempts = {num: 2 if num in (3, 5) else 1 for num in range(6)}
    assert sorted(file.name for file in ran.iterdir()) == sorted(
        f"{num}-{attempt}" for num, often in attempts.items() for attempt in range(often)
    )
    jobs = load_run(done.root).jobs
    assert {job.job_num: job.attempts for job in jobs} == attempts
    assert all(job.job_num == 1 or job.return_value == float(job.overrides["x"]) for job in jobs)
    assert all(earlier.task_overrides == job.task_overrides for job in jobs for earlier in job.earlier)
    assert (done.root / "optimization_results.yaml").exists()


LOSS = """
class Loss:
    def __init__(self, of): self.of = of
    def __float__(self): return float(self.of)
"""
KILLS = """
from pathlib import Path
from hydra.core.hydra_config import HydraConfig
num, ran = HydraConfig.get().job.num, Path(os.environ["RAN"])
before = len(list(ran.glob(f"{num}-*")))
(ran / f"{num}-{before}").touch()
root = Path(HydraConfig.get().sweep.dir)
while num == 2 and not any('"job_ended"' in file.read_text() for file in (root / ".callbacks").glob("*.jsonl")):
    time.sleep(0.1)
if num == 2 and not before:
    os.kill(os.getpid(), signal.SIGKILL)
return Loss(cfg.x)
"""


def test_a_value_that_a_broken_pool_has_lost_is_made_again(app: App) -> None:
    """Only a text of it is on record, from which Optuna would learn nothing or something else."""
    app.write(KILLS, CONFIG, LOSS)
    ran = app.directory / "ran"
    ran.mkdir()
    done = app.sweep("joblib", "hydra.sweeper.n_trials=3", RAN=str(ran))
    assert done.code == 0, done.stderr
    assert "Run again, for each has completed, but what it returned was lost with its pool" in done.stdout
    assert "Failed experiment" not in done.stdout
    jobs = load_run(done.root).jobs
    assert [job.status for job in jobs] == ["COMPLETED"] * 3
    assert len([*ran.iterdir()]) == sum(job.attempts for job in jobs) > 4
