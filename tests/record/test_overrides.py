"""Overrides are read as Hydra reads them."""

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.record.overrides import typed_override, typed_overrides


def test_every_kind_of_override() -> None:
    """Group choices, nested, appended and deleted keys, and values of every type, also with `=` in them."""
    given_overrides = [
        *("model=cnn", "optim.lr=0.1", "+x=1", "++y=-2", "~gone", "~old=3", "db@backup=mysql", "s='a=b, c'"),
        *("l=[1,2.5,x]", "d={a:1,b:{c:true}}", "n=null", "i=1e-3", "k=${optim.lr}", "z=007", "q=inf", "e="),
    ]
    assert typed_overrides(given_overrides) == {
        "model": "cnn",
        "optim.lr": 0.1,
        "x": 1,
        "y": -2,
        "~gone": True,
        "~old": 3,
        "db@backup": "mysql",
        "s": "a=b, c",
        "l": [1, 2.5, "x"],
        "d": {"a": 1, "b": {"c": True}},
        "n": None,
        "i": 0.001,
        "k": "${optim.lr}",
        "z": "007",
        "q": float("inf"),
        "e": "",
    }


@pytest.mark.parametrize(
    ("override", "value"), [("db.password=<redacted>", "<redacted>"), ("x=1,2", "1,2"), ("x=a=b", "a=b")]
)
def test_what_is_no_single_value_is_kept_as_text(override: str, value: str) -> None:
    """Redacted values, sweeps, and what the grammar refuses."""
    assert typed_override(override)[1] == value


simple = st.builds(
    "{}{}={}".format,
    st.sampled_from(["", "+", "++"]),
    st.sampled_from(["a", "a.b", "a/b", "_a1.b_2"]),
    st.from_regex(
        r"[+-]?[0-9]{1,4}(\.[0-9]{0,3})?(e[+-]?[0-9]{1,2})?|[a-zA-Z]{1,5}|null|true|nan|inf|false", fullmatch=True
    ),
)


@given(simple)
def test_the_short_cut_says_what_the_parser_says(override: str) -> None:
    """Values and their types are those of Hydra's own parser."""
    key, value = typed_override(override)
    parsed = OverridesParser.create().parse_override(override)
    expected: Any = parsed.value()
    assert key == parsed.key_or_group
    assert (type(value), repr(value)) == (type(expected), repr(expected))
