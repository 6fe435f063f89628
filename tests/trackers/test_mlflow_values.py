"""What MLflow is sent keeps to its limits, and what it has already stays as it is."""

import math
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.trackers.mlflow_values import (
    MAX_FLOAT,
    MAX_KEY,
    MAX_PARAM,
    Names,
    Values,
    metrics_of,
    milliseconds,
    missing,
    name_of,
    params_of,
    points_as_metrics,
    same,
    tags_of,
)
from hydra_callback_kit.trackers.payload import Payload


def there(params: dict[str, str], metrics: dict[str, float], tags: dict[str, str]) -> Any:
    """What a run has."""
    return SimpleNamespace(params=params, metrics=metrics, tags=tags)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("model.lr", "model.lr"),
        ("val/loss", "val/loss"),
        ("+a@b.c", "_a_b.c"),
        ("größe", "größe"),
        ("a//b", "a__b"),
        ("../x", "_x"),
        ("/x", "_x"),
        (".", "_"),
        ("", "_"),
        ("~x", "_x"),
    ],
)
def test_names(key: str, name: str) -> None:
    """What can be kept is kept; what would be a path that leads elsewhere is none."""
    assert name_of(key) == name


@given(st.text())
def test_any_name_is_one_that_mlflow_takes(key: str) -> None:
    """By its own rules: characters, length, and a path that is the same when it is made simple."""
    name = name_of(key)
    assert re.fullmatch(r"[\w.\- :/]+", name)
    assert len(name) <= MAX_KEY
    assert not name.startswith(("/", ".."))
    assert name != "."
    assert "//" not in name


def test_what_is_cut_says_so() -> None:
    """A value of 6,000 characters fits, a longer one says how long it was."""
    params = params_of({"fits": "x" * MAX_PARAM, "long": "x" * (MAX_PARAM + 1)})
    assert params["fits"] == "x" * MAX_PARAM
    assert len(params["long"]) == MAX_PARAM
    assert params["long"].endswith("[cut, 6001 characters]")


def test_no_number_is_lost() -> None:
    """NaN is NaN; an infinity is the largest number, as MLflow keeps it."""
    metrics = metrics_of({"nan": math.nan, "up": math.inf, "down": -math.inf, "one": 1}, Names())
    assert math.isnan(metrics.pop("nan"))
    assert metrics == {"up": MAX_FLOAT, "down": -MAX_FLOAT, "one": 1.0}


def test_only_what_is_missing_is_sent() -> None:
    """Another value of a param becomes a tag, a curve of the app's stays, and what is equal is not sent again."""
    values = Values({"a": "1", "b": "2", "c": "3"}, {"same": 1.0, "nan": math.nan, "curve": 2.0, "earlier": 2.0}, {"t": "x"})
    has = there({"a": "1", "b": "other"}, {"same": 1.0, "nan": math.nan, "curve": 5.0, "earlier": 1.0}, {"t": "x"})
    assert missing(has, values, lambda name: name == "curve") == Values({"c": "3"}, {"earlier": 2.0}, {"hydra.param.b": "2"})
    has = there({"a": "1", "b": "other", "c": "3"}, values.metrics, {"t": "x", "hydra.param.b": "2"})
    assert missing(has, values, lambda name: True) == Values({}, {}, {})


def test_no_tag_of_a_user_takes_the_place_of_what_identifies() -> None:
    """A run is found again by ours."""
    payload = Payload("n", {}, None, {"run_id": "r", "commit": "c0ffee"}, {}, "FAILED", error="ValueError: boom")
    tags = tags_of("job", payload, {"hydra.run_id": "mine", "team": "vision"})
    assert tags == {
        "hydra.run_id": "r",
        "hydra.commit": "c0ffee",
        "hydra.kind": "job",
        "hydra.error": "ValueError: boom",
        "mlflow.source.git.commit": "c0ffee",
        "team": "vision",
    }


def test_names_that_differ_stay_two() -> None:
    """Whatever MLflow refuses in them, and however long they are; and each has always the same."""
    keys = ["a$b", "a_b", "a@b", "x" * 300, "x" * 301, "../x", "_x"]
    names = Names(keys)
    named = list(map(names.of, keys))
    assert len(set(named)) == len(keys)
    assert named[0] == "a_b"
    assert re.fullmatch("a_b-[0-9a-f]{8}", named[1])
    assert all(name_of(name) == name for name in named)
    assert list(map(names.of, keys)) == named
    assert set(params_of({"a$b": 1, "a_b": 2}).values()) == {"1", "2"}


@given(st.lists(st.text()))
def test_any_names_that_differ_stay_different(keys: list[str]) -> None:
    """In any order."""
    names = Names(keys)
    assert len(set(map(names.of, keys))) == len(set(keys))


def test_points_have_steps() -> None:
    """Those without one are counted, also over several batches; what MLflow cannot keep is kept as near as it can."""
    names = Names()
    points = [
        Point("1970-01-01T00:00:01+00:00", None, {"a": 1.0}),
        Point("1970-01-01T00:00:02+00:00", 7.9, {"b@": math.inf}),
    ]
    assert points_as_metrics(points, 0, names) == [("a", 1.0, 1000, 0), ("b_", MAX_FLOAT, 2000, 8)]
    assert points_as_metrics(points[:1], 1, names) == [("a", 1.0, 1000, 1)]


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_any_step_is_one_that_mlflow_takes(step: float) -> None:
    """64 bits."""
    ((_, _, _, taken),) = points_as_metrics([Point("1970-01-01T00:00:01+00:00", step, {"a": 1.0})], 0, Names())
    assert -(2**63) <= taken < 2**63


def test_what_is_the_same() -> None:
    """NaN is; nothing is not."""
    assert same(math.nan, math.nan)
    assert same(1.0, 1)
    assert not same(None, math.nan)
    assert not same(1.0, math.nan)


def test_times() -> None:
    """UTC, in milliseconds."""
    assert milliseconds("1970-01-01T00:00:01.500000+00:00") == 1500
    assert milliseconds(None) is None
