"""The values of the journal: strict JSON, and what it stands for.

What JSON has stays as it is. NaN and the infinities become the strings `"NaN"`, `"Infinity"` and `"-Infinity"`; a string
that reads like one of them, and everything that JSON has no word for, becomes `{"repr": ..., "type": ...}`.
"""

import math
import sys
from collections.abc import Mapping
from typing import Any, Final

MAX_INT_BITS: Final = 4_096
"""A larger integer becomes its hexadecimal `repr`."""

MAX_MEASURED: Final = 1e18
"""No job takes so many seconds or bytes: a larger figure was not measured but damaged."""

MAX_FLOAT_BITS: Final = 1_023
"""A larger integer is no metric: no float holds it."""

NAMES: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def from_json(encoded: Any) -> Any:
    """Undoes `encoder.to_json` for numbers, strings, NaN and infinities, at any depth; what was cut stays as it is.

    Args:
        encoded: what `encoder.to_json` returned, possibly after a round trip through JSON text.

    Returns:
        The value, with lists for sequences and dicts for mappings.
    """
    kind = type(encoded)
    if kind is str:
        return NAMES.get(encoded, encoded)
    if kind is list:
        return [from_json(item) for item in encoded]
    if kind is dict:
        if encoded.get("type") == "str" and encoded.keys() == {"repr", "type"}:
            return encoded["repr"]
        if encoded.get("type") == "int" and encoded.keys() == {"repr", "type"}:
            return _big_int(encoded)
        return {sys.intern(key): from_json(item) for key, item in encoded.items()}  # the jobs of a sweep share their keys
    return encoded


def as_json(decoded: Any) -> Any:
    """Undoes `from_json`: NaN, infinities and large integers get their names again; nothing is cut.

    Args:
        decoded: what `from_json` returned.

    Returns:
        What `json.dumps(..., allow_nan=False)` accepts.
    """
    kind = type(decoded)
    if kind is float:
        return decoded if math.isfinite(decoded) else name_of(decoded)
    if kind is str:
        return {"repr": decoded, "type": "str"} if decoded in NAMES else decoded
    if kind is int:
        return decoded if decoded.bit_length() <= MAX_INT_BITS else {"repr": hex(decoded), "type": "int"}
    if kind is dict:
        return {key if type(key) is str else str(key): as_json(item) for key, item in decoded.items()}
    if kind is list:
        return [as_json(item) for item in decoded]
    return decoded


def is_cut(value: Any) -> bool:
    """Tells whether a value stands for one that JSON has no word for, or that was too large."""
    return isinstance(value, dict) and "repr" in value and "type" in value and value.keys() <= {"repr", "type", "length"}


def is_number(value: Any) -> bool:
    """Tells whether a value can be ranked and averaged: a float, or an integer that a float can hold; not a boolean."""
    return type(value) is float or (type(value) is int and value.bit_length() <= MAX_FLOAT_BITS)


def measured(value: Any) -> float | None:
    """Returns a number of seconds or bytes; None for what cannot be one, which a damaged journal may hold."""
    return value if is_number(value) and 0 <= value <= MAX_MEASURED else None


def type_name(of: type) -> str:
    """The name that a reader would import the type by: builtins bare, others with their module."""
    return of.__qualname__ if of.__module__ == "builtins" else f"{of.__module__}.{of.__qualname__}"


def name_of(value: float) -> str:
    """The name of NaN or of an infinity."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _big_int(encoded: Mapping[str, Any]) -> Any:
    try:
        return int(encoded["repr"], 16)
    except (TypeError, ValueError):
        return dict(encoded)
