"""One line of the journal: what the writer cannot have written is named, whatever it is."""

import json
from typing import Any

import pytest

from hydra_callback_kit.journal import line
from hydra_callback_kit.journal.encoder import MAX_DEPTH, to_json
from hydra_callback_kit.journal.format import MAX_LINE
from hydra_callback_kit.journal.line import BrokenLineError, parse_line

INTACT: dict[str, Any] = {
    "v": 1,
    "time": "2026-01-01T00:00:00.000000+00:00",
    "run": "20260101T000000-aa",
    "event": "job_ended",
    "job": 0,
    "attempt": "a",
    "host": "here",
    "pid": 1,
    "born": None,
    "facts": {"status": "COMPLETED"},
}


def nested(levels: int, of: str = "[]") -> str:
    """A value of so many levels, as JSON."""
    return {"[]": "[" * levels + "]" * levels, "{}": '{"a":' * levels + "1" + "}" * levels}[of]


def with_fact(text: str) -> bytes:
    """A line with a fact that is this JSON."""
    return json.dumps({**INTACT, "facts": {"status": "FAILED", "x": "HERE"}}).replace('"HERE"', text).encode()


@pytest.mark.parametrize("of", ["[]", "{}"])
def test_nesting_has_a_bound(of: str) -> None:
    """What the writer can nest is far below it; what would need recursion without end is named like any other."""
    value: Any = 1
    for _ in range(MAX_DEPTH + 5):
        value = [value]
    assert parse_line(with_fact(json.dumps(to_json(value))))
    assert parse_line(with_fact(nested(line.MAX_DEPTH - 3, of)))
    for levels in (line.MAX_DEPTH + 1, 600, 5_000, 500_000):
        with pytest.raises(BrokenLineError, match=r"nested deeper|recursion"):
            parse_line(with_fact(nested(levels, of)))
    wide = json.dumps([{"a": []}] * 1_000)
    assert parse_line(with_fact(wide))


def test_length_has_a_bound() -> None:
    """A longer line is not even parsed."""
    text = with_fact(json.dumps("x" * 1_000))
    assert parse_line(text + b" " * (MAX_LINE - len(text) - 1))
    with pytest.raises(BrokenLineError, match=f"longer than {MAX_LINE} bytes"):
        parse_line(text + b" " * (MAX_LINE - len(text)))


@pytest.mark.parametrize(
    "change",
    [
        {"job": -1},
        {"job": 1 << 53},
        {"job": 10**300},
        {"job": True},
        {"pid": 0},
        {"pid": -1},
        {"pid": 10**30},
        {"time": "1969-12-31T23:59:59+00:00"},
        {"time": "0001-01-01T00:00:00.000000+00:00"},
        {"time": "9999-12-31T23:59:59.999999+00:00"},
        {"time": "3000-01-01T00:00:00+00:00"},
        {"time": "2026-02-30T00:00:00+00:00"},
        {"facts": {}},
        {"facts": {"status": "DONE"}},
        {"facts": {"status": ["COMPLETED"]}},
        {"v": 10**300},
    ],
)
def test_what_no_process_writes(change: dict[str, Any]) -> None:
    """Numbers, times and ends that none has."""
    assert parse_line(json.dumps(INTACT).encode())
    with pytest.raises(BrokenLineError):
        parse_line(json.dumps({**INTACT, **change}).encode())


def test_numbers_that_python_refuses_to_read() -> None:
    """Thousands of digits; an exponent without bound is infinity."""
    with pytest.raises(BrokenLineError, match="not JSON"):
        parse_line(with_fact("1" * 5_000))
    assert parse_line(with_fact("1e999999999"))["facts"]["x"] == float("inf")


@pytest.mark.parametrize(
    ("value", "levels"),
    [
        ([], 1),
        ({}, 1),
        ([1], 1),
        ({"a": "b"}, 1),
        ([[]], 2),
        ({"a": {}}, 2),
        ([{}], 2),
        ({"a": [1]}, 2),
        ([1, [2, {"a": 3}]], 3),
    ],
)
def test_levels_are_counted_one_by_one(value: Any, levels: int) -> None:
    """A value is deeper than one level less than it has, and not than those it has, whatever it is nested in."""
    assert line._is_deeper(value, levels - 1)
    assert not line._is_deeper(value, levels)
    assert not line._is_deeper(value, levels + 1)
