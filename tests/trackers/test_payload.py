"""What trackers are sent is made of the record."""

import math
from pathlib import Path

import pytest

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.trackers.payload import payload_of_job, payload_of_sweep, shortened, text_of

SWEEP = RunRecord(
    "20260101T000000000000-aaaaaaaa",
    Path("/sweep"),
    "MULTIRUN",
    "FAILED",
    facts={"launcher": "joblib", "git": {"commit": "c0ffee"}, "job_name": "app", "command": ["python", "app.py", "-m"]},
)


def job(**more: object) -> JobRecord:
    """A job of the sweep."""
    given = {"task_overrides": ("lr=0.1", "model=big"), "job_name": "app", "job_id": "app_3", "host": "n1", **more}
    return JobRecord(3, "COMPLETED", root=Path("/sweep"), subdir="3", **given)


def test_a_job_of_a_sweep() -> None:
    """Where it comes from, what it was given, and what came out."""
    payload = payload_of_job(SWEEP, job(return_value={"val": {"loss": 0.5, "nan": math.nan}, "best": True, "name": "x"}))
    assert payload.name == "3 lr=0.1 model=big"
    assert payload.tags == {
        "run_id": SWEEP.run_id,
        "sweep_dir": "/sweep",
        "launcher": "joblib",
        "commit": "c0ffee",
        "job_num": "3",
        "job_name": "app",
        "overrides": "lr=0.1 model=big",
        "output_dir": "/sweep/3",
        "launcher_id": "app_3",
        "host": "n1",
    }
    assert payload.metrics["val.loss"] == 0.5
    assert math.isnan(payload.metrics["val.nan"])
    assert len(payload.metrics) == 2
    assert (payload.status, payload.error) == ("COMPLETED", None)


@pytest.mark.parametrize(
    ("returned", "metrics"),
    [(0.5, {"return_value": 0.5}), ([1, 2], {"return_value.0": 1, "return_value.1": 2}), (None, {}), ("x", {})],
)
def test_what_a_job_may_return(returned: object, metrics: dict[str, float]) -> None:
    """A bare number has a name; what is no number is no metric."""
    assert payload_of_job(SWEEP, job(return_value=returned)).metrics == metrics


def test_a_job_that_failed() -> None:
    """It has the error in a line."""
    error = JobError("ValueError", "boom\nmore", "...")
    assert payload_of_job(SWEEP, job(error=error)).error == "ValueError: boom"


def test_a_single_run_has_no_sweep() -> None:
    """No sweep, no launcher, and a name all the same."""
    run = RunRecord("r", Path("/run"), "RUN", "COMPLETED", facts={"launcher": "basic"})
    payload = payload_of_job(run, JobRecord(0, "COMPLETED", job_name="app", root=Path("/run"), subdir="."))
    assert payload.name == "app"
    assert payload.tags == {"run_id": "r", "job_num": "0", "job_name": "app", "output_dir": "/run"}


def test_a_sweep() -> None:
    """The parent says how it was started and how it ended."""
    payload = payload_of_sweep(SWEEP)
    assert payload.name == f"app {SWEEP.run_id}"
    assert payload.tags["command"] == "python app.py -m"
    assert payload.status == "FAILED"


def test_the_params_are_flat() -> None:
    """The config counts where an override has the same key; what it does not say, the override does."""
    config = {"lr": 0.2, "model": {"depth": 3, "widths": [1, 2], "empty": {}}, "none": None}
    assert payload_of_job(SWEEP, job(facts={"config": config})).params() == {
        "lr": 0.2,
        "model": "big",
        "model.depth": 3,
        "model.widths": [1, 2],
        "model.empty": {},
        "none": None,
    }
    assert payload_of_job(SWEEP, job()).params() == {"lr": 0.1, "model": "big"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.001, "0.001"), (True, "True"), (None, "None"), ("x", "x"), ([1, math.nan], '[1, "NaN"]'), ({}, "{}")],
)
def test_a_value_as_a_text(value: object, text: str) -> None:
    """Scalars are what MLflow makes of them, so that an app which logs its config itself says the same."""
    assert text_of(value) == text


def test_what_is_cut_says_so() -> None:
    """It fits exactly, and says how long it was."""
    assert shortened("x" * 50, 50) == "x" * 50
    cut = shortened("x" * 51, 50)
    assert len(cut) == 50
    assert cut.endswith(" [cut, 51 characters]")
