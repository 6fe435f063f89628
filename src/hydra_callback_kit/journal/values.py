"""The values of the journal: strict JSON, and what it stands for.

What JSON has stays as it is. NaN and the infinities become the strings `"NaN"`, `"Infinity"` and `"-Infinity"`; a string
that reads like one of them, and everything that JSON has no word for, becomes `{"repr": ..., "type": ...}`. A mapping that
looks like that itself becomes the `repr` of such a one, whose type is `dict`.
"""

import contextlib
import json
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


class Cut(dict[str, Any]):
    """What stands for a value that JSON has no word for, or that was too large: its `repr`, `type` and perhaps `length`."""

    __slots__ = ()


def from_json(encoded: Any) -> Any:
    """Undoes `encoder.to_json` for numbers, strings, NaN and infinities, at any depth; what was cut stays as it is.

    Args:
        encoded: what `encoder.to_json` returned, possibly after a round trip through JSON text.

    Returns:
        The value, with lists for sequences and dicts for mappings, and a `Cut` for what was cut.
    """
    kind = type(encoded)
    if kind is str:
        return NAMES.get(encoded, encoded)
    if kind is list:
        return [from_json(item) for item in encoded]
    if kind is dict:
        if looks_cut(encoded):
            return _named(encoded)
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
        encoded = {key if type(key) is str else str(key): as_json(item) for key, item in decoded.items()}
        return {"repr": encoded, "type": "dict"} if looks_cut(encoded) else encoded
    if kind is list:
        return [as_json(item) for item in decoded]
    return dict(decoded) if kind is Cut else decoded


def looks_cut(encoded: Mapping[str, Any]) -> bool:
    """Tells whether a mapping has the keys of what stands for a value."""
    return "repr" in encoded and "type" in encoded and encoded.keys() <= {"repr", "type", "length"}


def as_text(fact: Any) -> str:
    """A fact that should be a text, whatever a journal has in its place: what is none, as JSON."""
    return fact if type(fact) is str else json.dumps(as_json(fact), ensure_ascii=False)


def is_number(value: Any) -> bool:
    """Tells whether a value can be ranked and averaged: a float, or an integer that a float can hold; not a boolean."""
    return type(value) is float or (type(value) is int and value.bit_length() <= MAX_FLOAT_BITS)


def measured(value: Any) -> float | None:
    """Returns a number of seconds or bytes; None for what cannot be one, which a damaged journal may hold."""
    return value if is_number(value) and 0 <= value <= MAX_MEASURED else None


def type_name(of: type) -> str:
    """The name that a reader would import the type by: builtins bare, others with their module."""
    module, name = _MODULE(of), _NAME(of)  # a metaclass may say anything of them, or raise
    return name if module == "builtins" else f"{module if isinstance(module, str) else '?'}.{name}"


_MODULE: Final = type.__dict__["__module__"].__get__
_NAME: Final = type.__dict__["__qualname__"].__get__


def name_of(value: float) -> str:
    """The name of NaN or of an infinity."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _named(encoded: dict[str, Any]) -> Any:
    """What such a mapping stands for."""
    represented, kind = encoded["repr"], encoded["type"]
    if kind == "dict" and "length" not in encoded and type(represented) is dict:
        return {key: from_json(item) for key, item in represented.items()}
    if not (type(represented) is type(kind) is str and type(encoded.get("length", 0)) is int):
        return {key: from_json(item) for key, item in encoded.items()}  # somebody else wrote it
    if kind == "str" and "length" not in encoded:
        return represented
    if kind == "int" and "length" not in encoded:
        with contextlib.suppress(ValueError):
            return int(represented, 16)
    return Cut(encoded)
