"""What `wandb_callback` takes, and what it does where W&B is not."""

import importlib.util
from typing import Any

import pytest
from omegaconf import OmegaConf

from hydra_callback_kit import ParameterError, WandbCallback
from hydra_callback_kit.hooks.parameters import NotInstalledError


@pytest.fixture(autouse=True)
def _it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of W&B is needed to look at parameters."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: found("json" if name == "wandb" else name, *more))


@pytest.mark.parametrize(
    "given",
    [
        {"project": " "},
        {"project": "a/b"},
        {"project": "a?b#c%d:e\\f"},
        {"project": "x" * 129},
        {"project": ["study"]},
        {"project": True},
        {"project": "\ud800"},
        {"entity": {"a": 1}},
        {"group": ""},
        {"job_type": ["train"]},
        {"tags": "baseline"},
        {"tags": None},
        {"tags": 5},
        {"tags": [[1]]},
        {"tags": [{"a": 1}]},
        {"tags": {"a": 1}},
        {"tags": [""]},
        {"tags": ["x" * 65]},
        {"tags": ["\ud800"]},
        {"mode": "of"},
        {"mode": False},
        {"mode": ["online"]},
        {"timeout_s": 0},
        {"timeout_s": True},
        {"timeout_s": "10"},
    ],
)
def test_what_is_refused(given: dict[str, Any]) -> None:
    """As it is built, before any job, with the name of the parameter; as Hydra hands it over."""
    with pytest.raises(ParameterError) as caught:
        WandbCallback(**OmegaConf.create(given))
    assert caught.value.parameter == next(iter(given))


def test_what_is_said() -> None:
    """What was given, what is allowed, what to type."""
    with pytest.raises(ParameterError) as caught:
        WandbCallback(project="a/b")
    allowed = "a project's name: it may have 128 characters, and none of / \\ # ? % :"
    assert str(caught.value) == f"project='a/b' is not valid: allowed is {allowed}. Write project=a-b."


def test_what_is_taken() -> None:
    """All that W&B takes, as plain values, which a worker can have."""
    given = {
        "project": "my study",
        "entity": 2024,
        "tags": ["a/b", 3, None, " ", "x" * 64],
        "mode": "dryrun",
        "timeout_s": 3,
    }
    callback = WandbCallback(**OmegaConf.create(given))
    assert (callback.project, callback.entity, callback.mode) == ("my study", "2024", "dryrun")
    assert callback.tags == ["a/b", "3", " ", "x" * 64]
    assert type(callback.tags) is list


def test_wandb_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the extra."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None)
    with pytest.raises(NotInstalledError, match=r"hydra-callback-kit\[wandb\]"):
        WandbCallback()
