"""Runs of W&B that start late: neither what was reported before nor how the job ended is lost."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hydra_callback_kit import JobTimeoutError
from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.trackers import wandb, wandb_running
from hydra_callback_kit.trackers.wandb import Curves, Place, log_missing
from hydra_callback_kit.trackers.wandb_running import Running

PLACE = Place("run-0", "offline", "", "study", None, None, Path(), 1.0)
CURVES = Curves()
BEGIN_S = 1_767_225_600.0


def at(second: int) -> str:
    """A time of the record."""
    return f"2026-01-01T00:00:0{second}.000000+00:00"


class FakeRun:
    """What is used of W&B's run."""

    def __init__(self, **summary: Any) -> None:
        self.summary = summary
        self.rows: list[dict[str, Any]] = []
        self.metrics: list[str] = []
        self.refuses: type[Exception] | bool = False
        self._is_finished = False

    def define_metric(self, name: str, step_metric: str) -> None:
        """As W&B's."""
        assert step_metric == "step"
        self.metrics.append(name)

    def log(self, row: dict[str, Any]) -> None:
        """The same."""
        if self.refuses:
            raise ValueError if self.refuses is True else self.refuses
        self.rows.append(row)


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb_running, "_runs", {})
    monkeypatch.setattr(wandb_running, "_last_words", {})


def test_what_was_reported_before_is_sent() -> None:
    """In its order, with its steps, and before what comes later."""
    run, curves = FakeRun(), Curves()
    wandb_running.expect("run", 0)
    curves.add({"loss": 2.0}, 0, at(0))
    wandb_running.comes("run", 0, Running(run, PLACE, curves))
    curves.add({"loss": 1.0}, None, at(1))
    assert run.rows == [
        {"loss": 2.0, "_hydra_reported_s": BEGIN_S, "step": 0},
        {"loss": 1.0, "_hydra_reported_s": BEGIN_S + 1},
    ]
    assert run.metrics == ["loss"]


def test_a_run_that_comes_when_its_job_is_over() -> None:
    """It is ended as the job has said."""
    run, curves, said = FakeRun(), Curves(), []
    wandb_running.expect("run", 0)
    curves.add({"loss": 2.0}, 0, at(0))
    assert wandb_running.ends("run", 0, said.append) is None
    wandb_running.comes("run", 0, Running(run, PLACE, curves))
    assert said == [Running(run, PLACE, curves)]
    assert len(run.rows) == 1


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:1"])
def test_what_is_waited_for_at_the_end(address: str) -> None:
    """A run that is kept here; no server, which may never answer."""
    run, begun = FakeRun(), threading.Event()

    def start() -> None:
        with wandb_running.starting("run", 0, PLACE._replace(address=address)):
            begun.set()
            time.sleep(0.5)
            wandb_running.comes("run", 0, Running(run, PLACE, CURVES))

    wandb_running.expect("run", 0)
    thread = threading.Thread(target=start)
    thread.start()
    begun.wait()
    expected = None if address else Running(run, PLACE, CURVES)
    assert wandb_running.ends("run", 0, lambda _: None, wait_s=60) == expected
    thread.join()
    assert wandb_running.ends("run", 1, lambda _: None, wait_s=60) is None, "nothing starts"


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
    """W&B's summary says when the last report was made that it has got."""
    run, points = FakeRun(_hydra_reported_s=BEGIN_S + 1), [Point(at(s), s, {"loss": float(s)}) for s in range(3)]
    log_missing(run, points)
    assert run.rows == [{"loss": 2.0, "_hydra_reported_s": BEGIN_S + 2, "step": 2}]
    log_missing(another := FakeRun(), points)
    assert len(another.rows) == 3


def test_after_a_report_that_is_not_taken_no_other_is_sent() -> None:
    """What is there is a beginning, and it is known that something is missing."""
    run, curves = FakeRun(), Curves()
    curves.go_to(run)
    for second in range(4):
        run.refuses = second == 2
        curves.add({"loss": 1.0}, second, at(second))
    assert [row["step"] for row in run.rows] == [0, 1]
    assert isinstance(curves.problem, ValueError)


def test_what_comes_to_an_end_in_the_middle_of_a_report_does() -> None:
    """A job that takes too long, and Ctrl-C, are the job's to see."""
    run, curves = FakeRun(), Curves()
    curves.go_to(run)
    run.refuses = JobTimeoutError
    with pytest.raises(JobTimeoutError):
        curves.add({"loss": 1.0}, 0, at(0))
    assert curves.problem is not None


def test_too_many_reports_before_a_run_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that waited are sent, and it is known that the others were not."""
    monkeypatch.setattr(wandb, "MAX_WAITING", 2)
    run, curves = FakeRun(), Curves()
    for second in range(3):
        curves.add({"loss": 1.0}, second, at(second))
    curves.go_to(run)
    curves.add({"loss": 1.0}, 3, at(3))
    assert [row["step"] for row in run.rows] == [0, 1]
    assert curves.problem is not None


def test_what_is_reported_after_the_app_has_ended_its_run_is_left_out() -> None:
    """W&B raises for it."""
    run, curves = FakeRun(), Curves()
    curves.go_to(run)
    run._is_finished = True
    curves.add({"loss": 1.0}, 0, at(0))
    assert run.rows == []
