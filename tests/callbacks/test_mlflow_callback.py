"""What `mlflow_callback` takes, and what it does where MLflow is not."""

import importlib.util
from typing import Any

import pytest

from hydra_callback_kit import MlflowCallback, ParameterError
from hydra_callback_kit.hooks.parameters import NotInstalledError


@pytest.fixture(autouse=True)
def _it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of MLflow is needed to look at parameters."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: found("json" if name == "mlflow" else name, *more))


@pytest.mark.parametrize(
    "given",
    [
        {"experiment": " "},
        {"tracking_uri": ""},
        {"tags": ["a"]},
        {"tags": {"a": {"b": 1}}},
        {"log_artifacts": "*.log"},
        {"log_artifacts": ["../other"]},
        {"log_artifacts": ["/etc/*"]},
        {"log_artifacts": [""]},
        {"timeout_s": 0},
        {"timeout_s": float("nan")},
        {"setup_timeout_s": -1},
        {"setup_timeout_s": float("inf")},
    ],
)
def test_what_is_refused(given: dict[str, Any]) -> None:
    """As it is built, before any job, with the name of the parameter."""
    with pytest.raises(ParameterError) as caught:
        MlflowCallback(**given)
    assert caught.value.parameter == next(iter(given))


def test_what_is_taken() -> None:
    """Plain values, which a worker can have."""
    callback = MlflowCallback("study", tags={"team": "vision", "fold": 3, "none": None}, log_artifacts=[], timeout_s=3)
    assert (callback.tags, callback.log_artifacts) == ({"team": "vision", "fold": "3"}, [])


def test_mlflow_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the extra."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None)
    with pytest.raises(NotInstalledError, match=r"hydra-callback-kit\[mlflow\]"):
        MlflowCallback()
