"""Overrides are read as Hydra reads them."""

import pytest

from hydra_callback_kit.journal.overrides import MAX_PARSED, _parsed_value, override_key, typed_override, typed_overrides


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


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("~gone", "~gone", True),
        ("~gone=null", "~gone", True),
        ("~old=3", "~old", 3),
        ("n=null", "n", None),
        ("l=[1,2]", "l", [1, 2]),
        ("+x=1,2", "x", "1,2"),
        ("x='a=b','c=d'", "x", "'a=b','c=d'"),
        ("x=range(1,9)", "x", "range(1,9)"),
        ("++X=a b", "X", "a b"),
        (f"x=[{'1,' * MAX_PARSED}a=1]", "x", f"[{'1,' * MAX_PARSED}a=1]"),
        ("x=[a=b", "x", "[a=b"),
    ],
)
def test_an_override_that_was_not_read_before_is_read(override: str, key: str, value: object) -> None:
    """What was read before is remembered, and is not looked at again."""
    _parsed_value.cache_clear()
    assert typed_override(override) == (key, value)
    assert override_key(override) == key
