"""What the property tests draw from: values, Python objects, configs and overrides."""

import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import math
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from hypothesis import strategies as st
from omegaconf import OmegaConf

SECRET = "s3cr3t-"  # noqa: S105  it is made up
"""How every secret text begins that a strategy makes."""


class Colour(enum.Enum):
    """An enum as users write them."""

    RED = "#f00"


class Mode(str, enum.Enum):
    """An enum that is a string too."""

    FAST = "fast"


@dataclasses.dataclass
class Point:
    """A dataclass with a value that JSON has no word for."""

    x: Any
    colour: Any = Colour.RED


class Hostile:
    """Everything about it fails."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def same(a: Any, b: Any) -> bool:
    """Equality that takes NaN for NaN and tells 1 from 1.0 and True."""
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["NaN", "Infinity", "-Infinity"])
)
keys = st.text() | st.sampled_from(["repr", "type", "length"])
plain = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=30)
"""What JSON has words for, and NaN, infinities and large integers."""

_odd = (
    st.binary(max_size=20)
    | st.builds(Hostile)
    | st.complex_numbers()
    | st.decimals()
    | st.fractions()
    | st.datetimes(timezones=st.none() | st.just(dt.timezone.utc))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.integers(-(10**400), 10**400)
    | st.sampled_from([Colour.RED, Mode.FAST, PurePosixPath("a/b"), Hostile, print, len, ..., NotImplemented])
    | st.sampled_from(
        [decimal.Decimal("NaN"), fractions.Fraction(1, 3), range(3), memoryview(b"x"), np.dtype("f4"), object()]
    )
    | st.floats(width=32).map(np.float32)
    | st.floats().map(np.float64)
    | st.integers(-(2**63), 2**63 - 1).map(np.int64)
    | st.booleans().map(np.bool_)
    | st.lists(st.floats(), max_size=6).map(np.array)
    | st.lists(st.text(max_size=5), max_size=3).map(lambda texts: np.array(texts, dtype=object))
    | st.lists(st.integers(0, 100), max_size=3).map(lambda items: np.array(items, dtype="datetime64[s]"))
    | st.just(np.array(5))
    | st.builds(lambda size: list(range(size)), st.sampled_from([1_000, 1_001]))
    | st.builds("x".__mul__, st.sampled_from([9_999, 10_001]))
)
_hashable = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([Colour.RED, (1, "a"), b"x"])
)


def _cyclic(items: list[Any]) -> list[Any]:
    items.append(items)
    return items


objects = st.recursive(
    scalars | _odd,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner, max_size=4).map(tuple)
        | st.lists(inner, max_size=4).map(_cyclic)
        | st.dictionaries(_hashable, inner)
        | st.sets(_hashable, max_size=4)
        | st.frozensets(_hashable, max_size=4)
        | st.builds(Point, inner, inner)
        | st.builds(
            lambda value: OmegaConf.create({"value": value, "again": "${value}"}), st.integers() | st.just("${nope}")
        )
    ),
    max_leaves=20,
)
"""Anything that a task function may return."""

_names = st.sampled_from(["a", "b", "c", "x y", "ä", "", "a.b", "0", "_target_", "items", "keys", "type", "repr", "hydra_"])
_config_keys = _names | st.integers(-2, 2) | st.booleans() | st.just(Colour.RED) | st.text(max_size=5)
_secret_keys = st.sampled_from(["password", "apiKey", "hf_token", "db-password", "secrets"])
_interpolations = st.sampled_from(
    [
        *(
            "${a}",
            "${b}",
            "${a.b}",
            "${c.a}",
            "${.a}",
            "${..a}",
            "${...b}",
            "${a[0]}",
            "${nope}",
            "x ${a} y ${b}",
            "${${a}}",
        ),
        *("${oc.env:NOPE}", "${oc.env:NOPE,fallback}", "${oc.select:a.b,7}", "${oc.dict.keys:a}", "${oc.dict.values:c}"),
        *("\\${a}", "???", "${password}", "u:${password}@h", "${nope:1}", "${oc.decode:'[1,{a:b}]'}", "${oc.create:{a:1}}"),
    ]
)
_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="$"), max_size=20)
    | st.sampled_from([Colour.RED, Path("a/b"), b"bytes"])
    | _interpolations
)
_secrets = st.text("abcdef0123456789", min_size=8, max_size=12).map(SECRET.__add__)
configs = st.dictionaries(
    _config_keys,
    st.recursive(
        _leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(_config_keys, inner, max_size=4)
            | st.dictionaries(_secret_keys, _secrets | st.lists(_secrets, max_size=2), max_size=2)
        ),
        max_leaves=15,
    ),
    max_size=5,
)
"""What a config may be made of: interpolations that lead somewhere, nowhere or in circles, odd keys, secrets."""

_words = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,5}", fullmatch=True)
_primitives = (
    st.integers().map(str)
    | st.floats().map(repr)
    | st.sampled_from(
        ["null", "true", "FALSE", "nan", "-inf", "1e-3", "1_000", "007", "+5", ".5", "5.", "0x1F", "-", "a:b", "a/b"]
    )
    | st.sampled_from(
        ["${a}", "${a.b}", "${oc.env:X}", "${.a}", "a b", "a\\,b", "\\(", "a\\=b", "%x%", "@", "?", "*", "äöü"]
    )
    | _words
)
_quoted = st.builds(
    lambda text, quote: f"{quote}{text.replace(chr(92), chr(92) * 2).replace(quote, chr(92) + quote)}{quote}",
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=10),
    st.sampled_from("'\""),
)
_elements = st.recursive(
    _primitives | _quoted,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(_primitives | _quoted, inner), max_size=3).map(
            lambda items: "{" + ",".join(f"{key}:{item}" for key, item in items) + "}"
        )
        | st.builds("{}({})".format, st.sampled_from(["int", "float", "str", "bool", "json_str"]), inner)
    ),
    max_leaves=6,
)
single_values = _elements | st.just("")
"""Values that are no sweep, in Hydra's grammar; some of them nearly."""
swept_values = (
    st.lists(_elements, min_size=2, max_size=3).map(",".join)
    | st.lists(_elements, min_size=1, max_size=3).map(lambda items: f"choice({','.join(items)})")
    | st.builds("range({},{})".format, st.integers(-3, 3), st.integers(-3, 9))
    | st.builds("range({},{},{})".format, st.integers(-3, 3), st.integers(-3, 9), st.sampled_from(["1", "2", "0.5", "-1"]))
    | st.lists(_elements, min_size=1, max_size=3).map(lambda items: f"sort({','.join(items)})")
    | st.lists(_elements, min_size=2, max_size=3).map(lambda items: f"tag(a,b,choice({','.join(items)}))")
)
"""Discrete sweeps in Hydra's grammar."""
override_keys = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "+", "++", "~"]),
    st.lists(_words, min_size=1, max_size=3).map(".".join) | st.lists(_words, min_size=1, max_size=3).map("/".join),
    st.just("") | _words.map("@{}".format) | st.builds("@{}.{}".format, _words, _words),
    st.sampled_from(["", "", "", " "]),
)
