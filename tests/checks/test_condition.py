"""A condition on a config: what holds, what does not, and what cannot be told."""

from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hydra_callback_kit.checks.condition import OPERATORS, Condition


class Mode(Enum):
    """As a structured config may hold one."""

    FAST = 1


CONFIG = OmegaConf.create(
    {
        "debug": True,
        "lr": 0.1,
        "name": "resnet50",
        "nothing": None,
        "given": "???",
        "tags": ["a", "b"],
        "model": {"size": 3, "layers": [{"width": 8}]},
        "mode": Mode.FAST,
        "path": Path("data") / "x",
        "twice": "${model.size}",
        "broken": "${no.such.key}",
        "hydra": {"job": {"num": 2}, "runtime": {"choices": {"model/head": "linear"}}},
    },
)


@pytest.mark.parametrize(
    "condition",
    [
        ("debug", "eq", True),
        ("lr", "ne", 0.2),
        ("lr", "lt", 1),
        ("lr", "le", 0.1),
        ("model.size", "gt", 2.5),
        ("model.size", "ge", 3),
        ("model.layers[0].width", "eq", 8),
        ("name", "lt", "vgg"),
        ("name", "in", ["vgg", "resnet50"]),
        ("name", "contains", "net"),
        ("name", "matches", r"^res.*\d+$"),
        ("name", "matches", r"\d"),
        ("tags", "contains", "b"),
        ("tags", "eq", ["a", "b"]),
        ("model", "contains", "size"),
        ("mode", "eq", "FAST"),
        ("path", "matches", "^data"),
        ("twice", "eq", 3),
        ("nothing", "eq", None),
        ("nothing", "exists", True),
        ("given", "missing", True),
        ("model.width", "missing", True),
        ("name.first", "missing", True),
        ("hydra.job.num", "eq", 2),
        ("hydra.runtime.choices.model/head", "eq", "linear"),
    ],
)
def test_it_holds(condition: tuple[str, str, Any]) -> None:
    """Each operator on each kind of value; the opposite operator does not hold, and nothing needs explaining."""
    key, operator, value = condition
    assert Condition(key, operator, value).ask(CONFIG).holds
    opposite = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "le": "gt", "gt": "le", "exists": "missing"}
    opposite["missing"] = "exists"
    verdict = Condition(key, opposite.get(operator, operator), value if operator in opposite else "zzz").ask(CONFIG)
    assert not verdict.holds
    assert verdict.why == ""


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (("model.width", "ne", 3), ["model.width"]),
        (("given", "eq", "???"), ["given"]),
        (("name.first", "eq", "r"), ["name.first"]),
        (("broken", "exists", True), ["broken", "no.such.key"]),
        (("name", "lt", 3), ["str", "int"]),
        (("nothing", "ge", 3), ["null", "int"]),
        (("model", "gt", 3), ["dict", "int"]),
        (("lr", "contains", 0), ["float"]),
        (("lr", "matches", "0"), ["float"]),
        (("lr", "in", "0.1"), ["float", "str"]),
    ],
)
def test_it_cannot_be_told(condition: tuple[str, str, Any], words: list[str]) -> None:
    """A key that is not there and values that cannot be compared: it does not hold, and says why."""
    verdict = Condition(*condition).ask(CONFIG)
    assert not verdict.holds
    assert all(word in verdict.why for word in words)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5).filter(lambda text: "$" not in text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(JSON, JSON, st.sampled_from(sorted(set(OPERATORS) - {"matches"})))
def test_it_never_raises(found: Any, value: Any, operator: str) -> None:
    """Whatever the config and the condition hold, there is a verdict, and one that needs no excuse if it holds."""
    verdict = Condition("x", operator, value).ask(OmegaConf.create({"x": found}))
    assert isinstance(verdict.holds, bool)
    assert not (verdict.holds and verdict.why)
