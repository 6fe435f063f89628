"""Runs of W&B that start late: neither what was reported before nor how the job ended is lost."""

from pathlib import Path
from typing import Any

import pytest

from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.trackers import wandb_running
from hydra_callback_kit.trackers.wandb import Curves, Place
from hydra_callback_kit.trackers.wandb_running import Running

PLACE = Place("run-0", "offline", "", "study", None, None, Path(), 1.0)
CURVES = Curves()


class FakeRun:
    """What is used of W&B's run."""

    def __init__(self, **summary: Any) -> None:
        self.summary = summary
        self.rows: list[dict[str, Any]] = []
        self.metrics: list[str] = []
        self._is_finished = False

    def define_metric(self, name: str, step_metric: str) -> None:
        """As W&B's."""
        assert step_metric == "step"
        self.metrics.append(name)

    def log(self, row: dict[str, Any]) -> None:
        """The same."""
        self.rows.append(row)


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb_running, "_runs", {})
    monkeypatch.setattr(wandb_running, "_last_words", {})


def test_what_was_reported_before_is_sent() -> None:
    """In its order, with its steps, and before what comes later."""
    run, curves = FakeRun(), Curves()
    wandb_running.expect("run", 0)
    curves.add({"loss": 2.0}, 0)
    wandb_running.comes("run", 0, Running(run, PLACE, curves))
    curves.add({"loss": 1.0}, None)
    assert run.rows == [{"loss": 2.0, "_hydra_reports": 1, "step": 0}, {"loss": 1.0, "_hydra_reports": 2}]
    assert run.metrics == ["loss"]


def test_a_run_that_comes_when_its_job_is_over() -> None:
    """It is ended as the job has said."""
    run, curves, said = FakeRun(), Curves(), []
    wandb_running.expect("run", 0)
    curves.add({"loss": 2.0}, 0)
    assert wandb_running.ends("run", 0, said.append) is None
    wandb_running.comes("run", 0, Running(run, PLACE, curves))
    assert said == [Running(run, PLACE, curves)]
    assert len(run.rows) == 1


def test_one_that_comes_in_time() -> None:
    """The job ends it itself, and nothing is left."""
    run, said = FakeRun(), []
    assert wandb_running.expect("run", 0)
    assert not wandb_running.expect("run", 1), "another job runs in this process"
    wandb_running.comes("run", 0, Running(run, PLACE, CURVES))
    assert wandb_running.ends("run", 0, said.append) == Running(run, PLACE, CURVES)
    wandb_running.comes("run", 1, Running(run, PLACE, CURVES))
    assert wandb_running.left_by("run") == [Running(run, PLACE, CURVES)]
    assert wandb_running.left_by("run") == []
    assert said == []


def test_a_run_that_goes_on_gets_only_what_it_lacks() -> None:
    """W&B's summary says how many reports it has got."""
    run = FakeRun(_hydra_reports=2)
    Curves().go_on(run, [Point("", step, {"loss": float(step)}) for step in range(3)])
    assert run.rows == [{"loss": 2.0, "_hydra_reports": 3, "step": 2}]


def test_what_is_reported_after_the_app_has_ended_its_run_is_left_out() -> None:
    """W&B raises for it."""
    run, curves = FakeRun(), Curves()
    curves.go_to(run)
    run._is_finished = True
    curves.add({"loss": 1.0}, 0)
    assert run.rows == []
