"""Any value becomes strict JSON, and what has a JSON form comes back equal."""

import datetime as dt
import json
import math
from collections import OrderedDict
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pytest
from omegaconf import OmegaConf
from strategies import Hostile, Mode, Point, same

from hydra_callback_kit.journal.encoder import MAX_ITEMS, MAX_STRING, to_json
from hydra_callback_kit.journal.values import (
    MAX_FLOAT_BITS,
    MAX_INT_BITS,
    MAX_MEASURED,
    Cut,
    as_json,
    as_text,
    from_json,
    is_number,
    measured,
    name_of,
)


class Losses(NamedTuple):
    """What a task function may return."""

    train: float
    test: float


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (np.float32(0.5), 0.5),
        (np.float64("nan"), "NaN"),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array([[1.0, math.inf]]), [[1.0, "Infinity"]]),
        (Point(1.5), {"x": 1.5, "colour": "RED"}),
        (Mode.FAST, "FAST"),
        (PurePosixPath("a/b"), "a/b"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.datetime(2026, 1, 2, 3, tzinfo=dt.timezone.utc), "2026-01-02T03:00:00+00:00"),
        (dt.timedelta(minutes=2), 120.0),
        ((1, (2,)), [1, [2]]),
        (Losses(0.5, math.nan), {"train": 0.5, "test": "NaN"}),
        ({3, 1, 2}, [1, 2, 3]),
        (OrderedDict(a=1), {"a": 1}),
        ({1: "a", "1": "b", None: "c"}, {"1": "a", "1 (str)": "b", "None": "c"}),
        (OmegaConf.create({"a": 1, "b": "${a}"}), {"a": 1, "b": 1}),
        (OmegaConf.create({"b": "${missing}"}), {"b": "${missing}"}),
        (1 + 2j, {"repr": "(1+2j)", "type": "complex"}),
        (b"x", {"repr": "b'x'", "type": "bytes"}),
        (print, {"repr": "<built-in function print>", "type": "builtin_function_or_method"}),
    ],
)
def test_values_are_taken_by_content(value: Any, encoded: Any) -> None:
    """NumPy, named tuples, dataclasses, enums, paths, dates, OmegaConf; anything else as repr and type."""
    assert to_json(value) == encoded
    json.dumps(to_json(value), allow_nan=False)


def test_a_value_whose_methods_fail_is_named_by_its_type() -> None:
    """Nothing that a task function returns makes the record fail."""
    assert to_json({"good": 1, "bad": Hostile()})["good"] == 1
    assert to_json(Hostile())["type"].endswith("Hostile")


def test_what_is_too_large_is_cut_where_it_is_too_large() -> None:
    """The small metric beside the large array survives, and what was cut says how long it was."""
    encoded = to_json(
        {"accuracy": 0.9, "embedding": list(range(10**6)), "text": "x" * 10**6, "array": np.zeros((2000, 2000))}
    )
    assert encoded["accuracy"] == 0.9
    assert encoded["embedding"]["length"] == encoded["text"]["length"] == 10**6
    assert encoded["array"]["length"] == 4_000_000
    assert len(json.dumps(encoded)) < 2 * MAX_STRING
    assert to_json(list(range(MAX_ITEMS))) == list(range(MAX_ITEMS))


def test_cycles_and_towers_end() -> None:
    """A list that holds itself, one that holds its parts twice thirty levels up, and one nested a thousand deep."""
    cycle: list[Any] = [1]
    cycle.append(cycle)
    tower: Any = [1]
    for _ in range(30):
        tower = [tower, tower]
    deep: Any = 1
    for _ in range(1000):
        deep = [deep]
    for value in (cycle, tower, deep):
        assert len(json.dumps(to_json(value))) < 10**7


@pytest.mark.parametrize("of", [math.inf, math.nan, [math.inf], {"repr": math.inf, "type": "x"}, None, 1, "NaN"])
@pytest.mark.parametrize("kind", ["str", "int", "dict", "float", None, ["str"]])
def test_what_somebody_else_wrote_like_a_marker_is_a_mapping_that_can_be_written(of: Any, kind: Any) -> None:
    """Whatever it holds: strict JSON takes it, and it comes back the same."""
    for encoded in ({"repr": of, "type": kind}, {"repr": "x", "type": kind, "length": of}):
        decoded = from_json(encoded)
        again = json.loads(json.dumps(as_json(decoded), allow_nan=False), parse_constant=pytest.fail)
        assert same(from_json(again), decoded)


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        ({"repr": "NaN", "type": "str"}, "NaN"),
        ({"repr": "NaN", "type": "str", "length": 5}, Cut(repr="NaN", type="str", length=5)),
        ({"repr": "0x10", "type": "int"}, 16),
        ({"repr": "0x10", "type": "int", "length": 5}, Cut(repr="0x10", type="int", length=5)),
        ({"repr": "ten", "type": "int"}, Cut(repr="ten", type="int")),
        ({"repr": {"repr": "Infinity"}, "type": "dict"}, {"repr": math.inf}),
        ({"repr": {"a": "Infinity"}, "type": "dict", "length": 3}, {"repr": {"a": math.inf}, "type": "dict", "length": 3}),
        ({"repr": ["-Infinity"], "type": "Infinity"}, {"repr": [-math.inf], "type": math.inf}),
        ({"repr": "<model>", "type": "app.Model"}, Cut(repr="<model>", type="app.Model")),
        (
            {"repr": "<model>", "type": "app.Model", "length": "Infinity"},
            {"repr": "<model>", "type": "app.Model", "length": math.inf},
        ),
        ({"repr": "x", "type": "str", "other": "Infinity"}, {"repr": "x", "type": "str", "other": math.inf}),
    ],
)
def test_what_stands_for_a_value_and_what_only_looks_like_it(encoded: dict[str, object], decoded: object) -> None:
    """Whoever wrote it: what the encoder does not write is a mapping like any other."""
    found = from_json(encoded)
    assert found == decoded
    assert type(found) is type(decoded)


def test_the_largest_that_is_written_as_it_is() -> None:
    """One more bit, and it is named, as Python writes it; it comes back all the same."""
    largest = 2**MAX_INT_BITS - 1
    assert as_json(largest) == largest
    assert as_json(largest + 1) == {"repr": hex(largest + 1), "type": "int"}
    assert from_json(as_json(-largest - 1)) == -largest - 1


def test_what_was_cut_and_keys_that_are_no_strings_become_json_again() -> None:
    """A journal holds neither, but a record that somebody has made may."""
    cut = from_json({"repr": "...", "type": "str", "length": 9})
    assert type(cut) is Cut
    assert type(as_json(cut)) is dict
    assert as_json({1: 2, "a": math.nan}) == {"1": 2, "a": "NaN"}
    assert from_json({"repr": "x", "type": "str", "length": None}) == {"repr": "x", "type": "str", "length": None}


@pytest.mark.parametrize(
    ("value", "is_one"),
    [(2**MAX_FLOAT_BITS - 1, True), (2**MAX_FLOAT_BITS, False), (0.5, True), (math.nan, True), (True, False), ("1", False)],
)
def test_what_is_a_number(value: Any, is_one: bool) -> None:
    """What no float holds cannot be averaged."""
    assert is_number(value) is is_one


@pytest.mark.parametrize("value", [0, 0.5, MAX_MEASURED, int(MAX_MEASURED)])
def test_what_may_have_been_measured(value: float) -> None:
    """From nothing to more than any job takes."""
    assert measured(value) == value


@pytest.mark.parametrize("value", [-1, math.nextafter(MAX_MEASURED, math.inf), math.nan, True, "1", None])
def test_what_cannot_have_been_measured(value: Any) -> None:
    """It was damaged."""
    assert measured(value) is None


def test_a_fact_as_text_and_the_names_of_what_is_no_number() -> None:
    """Letters stay letters."""
    assert (as_text("é"), as_text(["é", math.inf])) == ("é", '["é", "Infinity"]')
    assert [name_of(value) for value in (math.nan, math.inf, -math.inf)] == ["NaN", "Infinity", "-Infinity"]
