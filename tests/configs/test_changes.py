"""What is changed in a job's config for another attempt: the type stays, and so does the place in the overrides."""

from fractions import Fraction
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, given
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf
from strategies import same

from hydra_callback_kit.configs.changes import ChangeError, Factor, changed_overrides, changes_of, has
from hydra_callback_kit.journal.overrides import typed_overrides

CONFIG = {"batch_size": 32, "lr": 0.1, "optim": {"name": "adam", "eps": None, "nested": "${lr}"}, "on": True, "later": "???"}


def _config() -> DictConfig:
    return OmegaConf.create(CONFIG)


def _changed(given: dict[str, Any], *overrides: str) -> list[str]:
    return changed_overrides(overrides, _config(), changes_of(given))


def test_a_change_takes_the_place_of_what_was_given() -> None:
    """With its `+`, wherever it stood; of two the later counts; a key that was not given comes last."""
    assert _changed({"batch_size": 16}, "a=1", "batch_size=32", "b=2") == ["a=1", "batch_size=16", "b=2"]
    assert _changed({"batch_size": 16}, "+batch_size=8", "x=1", "++batch_size=32") == ["++batch_size=16", "x=1"]
    assert _changed({"optim": {"name": "sgd"}}, "a=1") == ["a=1", "optim.name=sgd"]
    assert _changed({"optim.eps": None, "later": [1, "a b"]}) == ["optim.eps=null", "later=[1,'a b']"]
    assert _changed({"other": 1}, "a=1") == ["a=1"]


def test_a_factor_is_of_the_value_that_the_job_had() -> None:
    """Also where it is interpolated; an integer is rounded down, and not to 0."""
    assert _changed({"batch_size": "*0.5", "lr": "*0.1", "optim.nested": " * 2 "}) == [
        "batch_size=16",
        "lr=0.010000000000000002",
        "optim.nested=0.2",
    ]
    assert [Factor(Fraction("0.5")).of(value) for value in (33, 1, 0, -1, -3, 3.0)] == [16, 1, 0, -1, -1, 1.5]
    assert Factor(Fraction("0.57")).of(100) == 57


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"hydra.launcher.mem_gb": 8}, "hydra.launcher.mem_gb"),
        ({"a": {"b": 1}, "a.b": 2}, "a.b"),
        ({"a b": 1}, "a b"),
        ({"": 1}, ""),
        ({"a": "*0"}, "a"),
        ({"a": "*0.0"}, "a"),
    ],
)
def test_what_is_no_change_is_refused(given: dict[str, Any], key: str) -> None:
    """With its key."""
    with pytest.raises(ChangeError) as refused:
        changes_of(given)
    assert refused.value.key == key


@pytest.mark.parametrize(
    "given", [{"on": "*2"}, {"optim.name": "*2"}, {"later": "*2"}, {"batch_size": "many"}, {"on": "maybe"}]
)
def test_another_kind_of_value_is_refused(given: dict[str, Any]) -> None:
    """What is no number cannot be multiplied, and a number becomes no text."""
    with pytest.raises(ChangeError):
        _changed(given)


@pytest.mark.parametrize(("key", "there"), [("later", True), ("optim.eps", True), ("optim.x", False), ("lr.x", False)])
def test_a_key_is_there_whatever_its_value(key: str, there: bool) -> None:
    """Also `???` and null."""
    assert has(_config(), key) is there


_TEXTS = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Z"]))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(_VALUES)
def test_hydra_reads_the_value_that_was_given(value: Any) -> None:
    """Whatever it is: quotes, brackets, backslashes, NaN."""
    assume("${" not in str(value))
    changes = changes_of({"later": value})
    assume(not isinstance(changes["later"], Factor))
    (override,) = changed_overrides([], _config(), changes)
    assert same(OverridesParser.create().parse_override(override).value(), value) or same(
        typed_overrides([override])["later"], value
    )


@given(st.one_of(st.integers(), st.floats(allow_nan=False)), st.decimals("0.01", "100", places=2))
def test_a_factor_keeps_the_type_and_the_sign(value: float, factor: Any) -> None:
    """And nothing that is not 0 becomes 0 among integers."""
    result = Factor(Fraction(factor)).of(value)
    assert type(result) is type(value)
    assert not isinstance(value, int) or (result > 0) - (result < 0) == (value > 0) - (value < 0)
