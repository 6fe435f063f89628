"""What W&B takes, and what it is sent instead of what it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.trackers.wandb_values import (
    config_of,
    has_axis,
    is_project,
    metrics_of,
    name_of,
    project_of,
    tags_of,
)

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


@pytest.mark.parametrize("name", ["val/loss", "a.b", " ", "a b", "_x", "a*b", "x" * 200, "a\x00b", "-a-", "é", "..", "/"])
def test_names_that_are_taken_stay(name: str) -> None:
    """W&B keeps them as they are."""
    assert name_of(name) == name


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("", "_"),
        ("step", "step_"),
        ("hydra/error", "hydra/error_"),
        ("_step", "_step_"),
        ("_runtime", "_runtime_"),
        ("_timestamp", "_timestamp_"),
        ("_wandb", "_wandb_"),
        ("_hydra_reported_s", "_hydra_reported_s_"),
        ("\ud800x", "\\ud800x"),
    ],
)
def test_names_that_mean_something_else(name: str, sent: str) -> None:
    """They are sent under another name, and none is lost."""
    assert name_of(name) == sent
    assert metrics_of({name: 1.0, "loss": 2.0}) == {sent: 1.0, "loss": 2.0}


def test_names_with_an_asterisk_have_no_axis() -> None:
    """W&B would take it for that of other metrics as well."""
    assert [has_axis(name) for name in ("loss", "a*", "*", "a*b")] == [True, False, False, False]


def test_a_config() -> None:
    """Any texts, at any depth; W&B looks for no artifact."""
    given = {"a": "\udcff", "b": {"\ud800": ["\udcff", 1, None, True]}, "c": "wandb-artifact://me/data:v0", "_wandb": 1}
    sent = {"a": "\\udcff", "b": {"\\ud800": ["\\udcff", 1, None, True]}, "c": " wandb-artifact://me/data:v0", "_wandb_": 1}
    assert config_of(given) == sent
    assert config_of({"d": {"_type": "artifactVersion", "e": "wandb-artifact://x"}}) == {
        "d": {"_type": " artifactVersion", "e": " wandb-artifact://x"}
    }


@given(ANY_TEXT)
def test_any_text(text: str) -> None:
    """It can be sent, whatever it is."""
    for sent in (name_of(text), project_of(text), *tags_of([text]), *config_of({text: text})):
        sent.encode("utf-8")
    assert is_project(project_of(text))
    assert all(1 <= len(tag) <= 64 for tag in tags_of([text]))


def test_projects() -> None:
    """W&B refuses some characters, and more than 128 of them."""
    assert [project_of(name) for name in ("my study", "a/b\\c#?%:", "x" * 200)] == ["my study", "a-b-c----", "x" * 128]
    assert [is_project(name) for name in ("my study", "a/b", "x" * 128, "x" * 129)] == [True, False, True, False]
