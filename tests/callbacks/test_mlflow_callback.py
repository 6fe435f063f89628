"""What `mlflow_callback` takes, and what it does where MLflow is not."""

import importlib.metadata
import importlib.util
from importlib.metadata import EntryPoint
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
        {"experiment": ["a"]},
        {"experiment": "\ud800"},
        {"tracking_uri": ""},
        {"tracking_uri": "nonsense://x"},
        {"tracking_uri": "localhost:5000"},
        {"tracking_uri": "http://["},
        {"tracking_uri": 5},
        {"tags": ["a"]},
        {"tags": {"a": {"b": 1}}},
        {"tags": {"a": "\ud800"}},
        {"tags": None},
        {"log_artifacts": "*.log"},
        {"log_artifacts": 5},
        {"log_artifacts": [["*.log"]]},
        {"log_artifacts": [None]},
        {"log_artifacts": ["."]},
        {"log_artifacts": ["./"]},
        {"log_artifacts": ["../other"]},
        {"log_artifacts": ["/etc/*"]},
        {"log_artifacts": [""]},
        {"timeout_s": 0},
        {"timeout_s": "10 s"},
        {"timeout_s": None},
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
    globs = ["**", "*/", "checkpoints/*.ckpt", ".hydra", "[a-c]*", "5"]
    assert MlflowCallback(log_artifacts=globs).log_artifacts == [str(glob) for glob in globs]
    assert (callback.tags, callback.log_artifacts) == ({"team": "vision", "fold": "3"}, [])


@pytest.mark.parametrize(
    "uri",
    [
        *("http://host:5000", "HTTPS://me:pass@host/path", "sqlite:///mlflow.db", "mysql+pymysql://host/db", "databricks"),
        *("databricks://profile", "mlruns", "/srv/mlruns", "file:///srv/mlruns", "C:\\mlruns", "uc"),
    ],
)
def test_addresses_that_mlflow_knows(uri: str) -> None:
    """Whatever its own registry of stores has."""
    assert MlflowCallback(tracking_uri=uri).tracking_uri == uri


def test_an_address_of_a_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is installed is asked by the scheme that it has registered."""
    plugin = EntryPoint("arn", "sagemaker_mlflow", "mlflow.tracking_store")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [plugin] * (group == plugin.group))
    assert MlflowCallback(tracking_uri="arn:aws:sagemaker:eu:1:tracking/x").tracking_uri
    with pytest.raises(ParameterError, match="nonsense"):
        MlflowCallback(tracking_uri="nonsense://x")


def test_credentials_are_not_said() -> None:
    """Neither in the message nor in the error."""
    with pytest.raises(ParameterError) as caught:
        MlflowCallback(tracking_uri="nonsense://me:hunter-two@host")
    assert "hunter" not in str(caught.value)
    assert "hunter" not in str(caught.value.given)


def test_mlflow_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the extra."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None)
    with pytest.raises(NotInstalledError, match=r"hydra-callback-kit\[mlflow\]"):
        MlflowCallback()
