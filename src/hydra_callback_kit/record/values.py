"""Any Python value as strict JSON, and back.

What JSON has stays as it is. NaN and the infinities become the strings `"NaN"`, `"Infinity"` and `"-Infinity"`; a string
that reads like one of them, and everything that JSON has no word for, becomes `{"repr": ..., "type": ...}`. What is too
large is cut where it is too large, with its full length beside it, so that a small metric next to a large array survives.
"""

import dataclasses
import datetime as dt
import enum
import math
import reprlib
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import PurePath
from typing import Any, Final

MAX_ITEMS: Final = 1_000
"""A list, a mapping or an array with more items is cut to its `repr`."""
MAX_STRING: Final = 10_000
"""A string with more characters is cut to its beginning."""
MAX_REPR: Final = 200
"""A `repr` with more characters is cut."""
MAX_DEPTH: Final = 20
"""Containers nested deeper are cut to their `repr`."""
MAX_VALUES: Final = 10_000
"""Once a value holds so many parts, what follows is cut: containers to their `repr`, strings to `MAX_REPR` characters. Each
100 characters of a string count as one part more."""
MAX_INT_BITS: Final = 4_096
"""A larger integer becomes its hexadecimal `repr`."""

MAX_MEASURED: Final = 1e18
"""No job takes so many seconds or bytes: a larger figure was not measured but damaged."""

MAX_FLOAT_BITS: Final = 1_023
"""A larger integer is no metric: no float holds it."""

_NAMES: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_json(value: Any) -> Any:
    """Turns any value into what `json.dumps(..., allow_nan=False)` accepts.

    Args:
        value: anything. NumPy and torch scalars and small arrays, named tuples, dataclasses, attrs and pydantic models,
            enums (by name), paths, dates, time spans (in seconds) and OmegaConf containers (resolved) are taken by content.

    Returns:
        None, booleans, numbers, strings, and lists and dicts of them. It never raises: a value whose own methods fail
        is represented by its type.
    """
    return _Encoder().encode(value, 0)


def from_json(encoded: Any) -> Any:
    """Undoes `to_json` for numbers, strings, NaN and infinities, at any depth; what was cut stays as it is.

    Args:
        encoded: what `to_json` returned, possibly after a round trip through JSON text.

    Returns:
        The value, with lists for sequences and dicts for mappings.
    """
    kind = type(encoded)
    if kind is str:
        return _NAMES.get(encoded, encoded)
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
        return decoded if math.isfinite(decoded) else _name_of(decoded)
    if kind is str:
        return {"repr": decoded, "type": "str"} if decoded in _NAMES else decoded
    if kind is int:
        return decoded if decoded.bit_length() <= MAX_INT_BITS else {"repr": hex(decoded), "type": "int"}
    if kind is dict:
        return {key: as_json(item) for key, item in decoded.items()}
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


class _Encoder:
    """Encodes one value: counts its parts and knows which containers are being encoded, so that cycles end."""

    def __init__(self) -> None:
        self._parts = 0
        self._open: set[int] = set()

    def encode(self, value: Any, depth: int) -> Any:
        self._parts += 1
        exact = type(value)
        if value is None or exact is bool:
            return value
        if exact is int:
            return value if value.bit_length() <= MAX_INT_BITS else {"repr": hex(value), "type": "int"}
        if exact is float:
            return value if math.isfinite(value) else _name_of(value)
        if exact is str:
            self._parts += len(value) // 100
            return _string(value, MAX_STRING if self._parts <= MAX_VALUES else MAX_REPR)
        try:
            return self._by_content(value, depth)
        except Exception:  # noqa: BLE001  the value's own methods may raise anything
            return _representation(value)

    def _by_content(self, value: Any, depth: int) -> Any:  # noqa: C901, PLR0911  one line a kind of value
        if isinstance(value, enum.Enum):
            return _string(value.name)
        if isinstance(value, (bool, int, float, str)):
            plain = next(kind for kind in (bool, int, float, str) if isinstance(value, kind))
            return self.encode(plain(value), depth)
        if isinstance(value, (PurePath, dt.date, dt.time)):
            return _string(str(value) if isinstance(value, PurePath) else value.isoformat())
        if isinstance(value, dt.timedelta):
            return value.total_seconds()
        if callable(getattr(value, "tolist", None)) and hasattr(value, "shape"):
            return self._array(value, depth)
        fields = _fields_of(value)
        if fields is not None:
            return self._container(value, fields, depth, self._mapping)
        if type(value).__module__.startswith("omegaconf."):
            return self.encode(_plain(value), depth)
        if isinstance(value, Mapping):
            return self._container(value, value, depth, self._mapping)
        if isinstance(value, (list, tuple)):
            return self._container(value, value, depth, self._sequence)
        if isinstance(value, AbstractSet):
            return self._container(
                value, sorted(value, key=repr) if len(value) <= MAX_ITEMS else value, depth, self._sequence
            )
        return _representation(value)

    def _array(self, value: Any, depth: int) -> Any:
        size = math.prod(value.shape)
        if size > MAX_ITEMS:
            return {**_representation(value), "length": size}
        return self.encode(value.tolist(), depth)

    def _container(self, value: Any, content: Collection[Any], depth: int, encode: Callable[[Any, int], Any]) -> Any:
        if len(content) > MAX_ITEMS or self._parts > MAX_VALUES:
            return {**_representation(value), "length": len(content)}
        if depth >= MAX_DEPTH or id(value) in self._open:
            return _representation(value)
        self._open.add(id(value))
        try:
            return encode(content, depth + 1)
        finally:
            self._open.discard(id(value))

    def _sequence(self, items: Iterable[Any], depth: int) -> list[Any]:
        return [self.encode(item, depth) for item in items]

    def _mapping(self, items: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        encoded: dict[str, Any] = {}
        for key, item in items.items():
            text = _key(key)
            while text in encoded:  # 1 and "1" are two keys in Python
                text = f"{text} ({type_name(type(key))})"
            encoded[text[:MAX_STRING]] = self.encode(item, depth)
        return encoded


def _key(key: Any) -> str:
    if isinstance(key, enum.Enum):
        return key.name
    try:
        return str(key)
    except Exception:  # noqa: BLE001  a key's `__str__` may raise anything, and the other items are to be kept
        return f"<{type_name(type(key))}>"


def _name_of(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _string(value: str, longest: int = MAX_STRING) -> Any:
    if value in _NAMES:
        return {"repr": value, "type": "str"}
    if len(value) > longest:
        return {"repr": value[:longest], "type": "str", "length": len(value)}
    return value


def _big_int(encoded: Mapping[str, Any]) -> Any:
    try:
        return int(encoded["repr"], 16)
    except (TypeError, ValueError):
        return dict(encoded)


def _fields_of(value: Any) -> dict[str, Any] | None:
    """The fields of a named tuple, a dataclass, an attrs or a pydantic object, found without importing the last two."""
    kind = type(value)
    names: Sequence[str]
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        names = kind._fields
    elif dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif hasattr(kind, "__attrs_attrs__"):
        names = [attribute.name for attribute in kind.__attrs_attrs__]
    elif hasattr(kind, "model_fields"):
        names = list(kind.model_fields)
    else:
        return None
    return {name: getattr(value, name) for name in names}


def _plain(container: Any) -> Any:
    from omegaconf import OmegaConf  # noqa: PLC0415  most values are not OmegaConf's
    from omegaconf.errors import OmegaConfBaseException  # noqa: PLC0415

    try:
        return OmegaConf.to_container(container, resolve=True)
    except OmegaConfBaseException:
        return OmegaConf.to_container(container, resolve=False)


class _ShortRepr(reprlib.Repr):
    """Python's own abbreviating `repr`, so that a list of a million items is not spelled out to be cut."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 10
        self.maxstring = self.maxother = MAX_REPR
        self.maxlevel = 2


def _representation(value: Any) -> dict[str, Any]:
    kind = type(value)
    try:
        text = _ShortRepr().repr(value)
    except Exception:  # noqa: BLE001  a `__repr__` may raise anything
        text = f"<{type_name(kind)}>"
    return {"repr": text if len(text) <= MAX_REPR else text[: MAX_REPR - 1] + "…", "type": type_name(kind)}
