"""Any Python value as strict JSON: see `values` for what it looks like there.

What is too large is cut where it is too large, with its full length beside it, so that a small metric next to a large array
survives.
"""

import dataclasses
import datetime as dt
import enum
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import PurePath
from typing import Any, Final

from hydra_callback_kit.journal.short_repr import ShortRepr
from hydra_callback_kit.journal.values import MAX_INT_BITS, NAMES, looks_cut, name_of, type_name

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


def to_json(value: Any, hide: Callable[[str], str] | None = None) -> Any:
    """Turns any value into what `json.dumps(..., allow_nan=False)` accepts.

    Args:
        value: anything. NumPy and torch scalars and small arrays, named tuples, dataclasses, attrs and pydantic models,
            enums (by name), paths, dates, time spans (in seconds) and OmegaConf containers (resolved) are taken by content.
        hide: takes the secrets out of a text; each text goes through it before it is cut.

    Returns:
        None, booleans, numbers, strings, and lists and dicts of them. It never raises: a value whose own methods fail
        is represented by its type.
    """
    return _Encoder(hide).encode(value, 0)


def whole_text(text: str) -> Any:
    """Turns a text into what `json.dumps` accepts, however long it is: for what identifies a run or a job."""
    return {"repr": text, "type": "str"} if text in NAMES else text


def whole_texts(texts: Iterable[str]) -> list[Any]:
    """The same for several."""
    return [whole_text(text) for text in texts]


class _Encoder:
    """Encodes one value: counts its parts and knows which containers are being encoded, so that cycles end."""

    def __init__(self, hide: Callable[[str], str] | None) -> None:
        self._hide = hide
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
            return value if math.isfinite(value) else name_of(value)
        if exact is str:
            self._parts += len(value) // 100
            return self._string(value, MAX_STRING if self._parts <= MAX_VALUES else MAX_REPR)
        try:
            return self._by_content(value, depth)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001  the value's own methods may raise anything, SystemExit too
            return self._representation(value)

    def _by_content(self, value: Any, depth: int) -> Any:  # noqa: C901, PLR0911  one line a kind of value
        if isinstance(value, enum.Enum):
            return self._string(value.name)
        if isinstance(value, (bool, int, float, str)):
            plain = next(kind for kind in (bool, int, float, str) if isinstance(value, kind))
            return self.encode(plain(value), depth)
        if isinstance(value, (PurePath, dt.date, dt.time)):
            return self._string(str(value) if isinstance(value, PurePath) else value.isoformat())
        if isinstance(value, dt.timedelta):
            return value.total_seconds()
        if type_name(type(value)) in ("decimal.Decimal", "fractions.Fraction"):
            return self.encode(float(value), depth)
        labelled = _labelled(value)
        if labelled is not None:
            return self._container(value, labelled, depth, self._mapping)
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
        return self._representation(value)

    def _string(self, value: str, longest: int = MAX_STRING) -> Any:
        if self._hide is not None:
            value = self._hide(value)
        if value in NAMES:
            return {"repr": value, "type": "str"}
        if len(value) > longest:
            return {"repr": value[:longest], "type": "str", "length": len(value)}
        return value

    def _representation(self, value: Any) -> dict[str, Any]:
        kind = type(value)
        try:
            text = ShortRepr(MAX_REPR, self._hide).repr(value)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001  a `__repr__` may raise anything
            text = f"<{type_name(kind)}>"
        return {"repr": text if len(text) <= MAX_REPR else text[: MAX_REPR - 1] + "…", "type": type_name(kind)}

    def _array(self, value: Any, depth: int) -> Any:
        size = math.prod(value.shape)
        if size > MAX_ITEMS:
            return {**self._representation(value), "length": size}
        plain = value.tolist()
        if type(plain) is type(value):  # NumPy has kinds of numbers that Python has not
            is_complex = getattr(getattr(value, "dtype", None), "kind", "f") == "c"
            return self.encode(complex(value) if is_complex else float(value), depth)
        return self.encode(plain, depth + 1) if depth < MAX_DEPTH else self._representation(value)

    def _container(self, value: Any, content: Collection[Any], depth: int, encode: Callable[[Any, int], Any]) -> Any:
        if len(content) > MAX_ITEMS or self._parts > MAX_VALUES:
            return {**self._representation(value), "length": len(content)}
        if depth >= MAX_DEPTH or id(value) in self._open:
            return self._representation(value)
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
            text = _key(key) if self._hide is None else self._hide(_key(key))
            while text in encoded:  # 1 and "1" are two keys in Python
                text = f"{text} ({type_name(type(key))})"
            encoded[text[:MAX_STRING]] = self.encode(item, depth)
        return {"repr": encoded, "type": "dict"} if looks_cut(encoded) else encoded


def _key(key: Any) -> str:
    try:
        return str(key.name if issubclass(type(key), enum.Enum) else key)  # what it says of its own class may be wrong
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  a key's `__str__` may raise anything, and the other items are to be kept
        return f"<{type_name(type(key))}>"


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


def _labelled(value: Any) -> Mapping[Any, Any] | None:
    """The items of what has labels: a Series, a frame of one row, a dataset of single values; found without an import.

    What has more rows than one, or numbers for labels, is none of these.
    """
    package = type(value).__module__.partition(".")[0]
    kind = type(value).__name__
    if package == "pandas" and kind == "Series":
        return None if type(value.index).__name__ == "RangeIndex" or len(value) > MAX_ITEMS else dict(value.items())
    if package == "pandas" and kind == "DataFrame":
        return dict(value.iloc[0].items()) if len(value) == 1 else None
    if package == "polars" and kind == "DataFrame":
        return dict(value.row(0, named=True)) if value.height == 1 else None
    if package == "xarray" and kind == "Dataset":
        return {name: each.item() for name, each in value.items() if each.size == 1} if value else None
    return None


def _plain(container: Any) -> Any:
    from omegaconf import OmegaConf  # noqa: PLC0415  most values are not OmegaConf's
    from omegaconf.errors import OmegaConfBaseException  # noqa: PLC0415  the same

    try:
        return OmegaConf.to_container(container, resolve=True)
    except OmegaConfBaseException:
        return OmegaConf.to_container(container, resolve=False)
