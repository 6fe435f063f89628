"""YAML that loads back as what it was."""

import datetime as dt
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hydra_callback_kit.views.yaml_text import yaml_text

NUMBERS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
KEYS = st.text(alphabet=st.characters(codec="utf-8"))
VALUES = st.recursive(
    NUMBERS | st.text() | st.binary(),
    lambda values: st.lists(values) | st.dictionaries(KEYS | st.integers(), values),
    max_leaves=15,
)


@given(st.dictionaries(KEYS, VALUES))
def test_it_loads_back(value: dict[str, object]) -> None:
    """Any config, any text in it."""
    assert yaml.safe_load(yaml_text(value)) == value


@pytest.mark.parametrize(
    "text", ["1e-5", "1e5", "1_000", "yes", "null", "0x1f", "0777", "1:30", ".inf", "nan", "2024-01-01"]
)
def test_a_text_that_looks_like_something_else_stays_a_text(text: str) -> None:
    """For PyYAML and for OmegaConf, which reads more numbers."""
    written = yaml_text({"x": text, "y": [text]})
    assert yaml.safe_load(written) == OmegaConf.create(written) == {"x": text, "y": [text]}


def test_what_yaml_has_no_word_for() -> None:
    """Paths are texts, another object its repr; NaN is NaN; nothing is an alias of another place."""
    shared = [1]
    value = {"path": Path("a/b"), "when": dt.timedelta(1), "nan": math.nan, "x": shared, "y": shared}
    written = yaml_text(value)
    loaded = yaml.safe_load(written)
    assert math.isnan(loaded.pop("nan"))
    assert loaded == {"path": "a/b", "when": repr(dt.timedelta(1)), "x": [1], "y": [1]}
    assert "&" not in written
