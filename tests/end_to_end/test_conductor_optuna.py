"""The conductor between Optuna's sweeper and a launcher: run with `-m optuna`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from apps import App

from hydra_callback_kit import load_run

pytestmark = pytest.mark.optuna

KNOWS = """
from hydra.core.utils import JobReturn, JobStatus
from hydra_callback_kit import RecordingCallback
from hydra_callback_kit.launching.in_place import put_in_place
from hydra_callback_kit.launching.policy import Policy

class First(Policy):
    def answers(self, batch):
        return {num: JobReturn(status=JobStatus.COMPLETED, _return_value=-1.0) for num in batch if num == 1}

class Knows(RecordingCallback):
    def on_multirun_start(self, config, **kwargs):
        put_in_place(config, First())
"""
CONFIG = """
defaults:
  - override hydra/sweeper: optuna
  - _self_
x: 0
hydra:
  callbacks:
    knows: {_target_: __main__.Knows}
  sweeper:
    n_trials: 6
    n_jobs: 2
    params: {x: 'range(0, 9)'}
"""


def test_batches_are_on_record_and_answers_reach_the_sweeper(app: App) -> None:
    """A job that is not started has a value all the same; what was launched and lost can be run again."""
    app.write('if cfg.x < 0 or os.environ.get("DIE"):\n    os._exit(9)\nreturn float(cfg.x)', CONFIG, KNOWS)
    done = app.run("-m")
    assert done.code == 0, done.stderr
    run = load_run(done.root)
    assert [job.job_num for job in run.jobs] == [0, 2, 3, 4, 5] == list(run.launched)
    assert run.launched == {job.job_num: job.task_overrides for job in run.jobs}
    assert (run.status, run.planned_jobs) == ("COMPLETED", None)
    assert "best_value: -1.0" in (done.root / "optimization_results.yaml").read_text()
    died = app.run("-m", "hydra.sweep.dir=died", DIE="1")
    assert died.code == 9
    again = subprocess.run(
        [str(Path(sys.executable).with_name("hydra-callback-kit")), "rerun", "died", "--missing"],
        cwd=app.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(re.findall(r"hydra.job.num=0\b", again.stdout)) == 1
