"""Values as columns of a table: an item of a mapping, at any depth, has a column of its own."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from hydra_callback_kit.journal.values import is_number

Row = dict[str, Any]

MAX_COLUMNS: Final = 100
"""A mapping with more items stays in one column."""

MAX_SEQUENCE: Final = 10
"""A sequence of more numbers stays in one column."""


def flat_return_value(value: Any) -> Row:
    """A return value by column: `return_value`, or `return_value.<key>` for each item of a mapping, at any depth.

    The items of a short sequence of numbers are `return_value.0` and so on.
    """
    return _flat("return_value", value)


def flat_mapping(value: Mapping[str, Any]) -> Row:
    """A mapping by column, the items of mappings in it as `<key>.<key>`, at any depth."""
    return _flat("", value)


_NESTED: Final = frozenset((dict, list))


class Flattening:
    """Flattens one value of each job. Most jobs have mappings of the same shape: their columns are named once.

    Args:
        name: the column of a bare value, and what the columns of a mapping begin with.
    """

    def __init__(self, name: str) -> None:
        self.columns: dict[str, None] = {}
        self._name = name
        self._shapes: dict[tuple[str, ...], tuple[str, ...]] = {}

    def see(self, value: Any) -> None:
        """Takes note of a value's columns."""
        if value is None or self._columns_of(value) is not None:
            return
        columns = _flat(self._name, value)
        self.columns.update(dict.fromkeys(columns))
        if type(value) is dict and 0 < len(value) == len(columns) and _NESTED.isdisjoint(map(type, value.values())):
            self._shapes[tuple(value)] = tuple(columns)

    def cells(self, value: Any, columns: tuple[str, ...]) -> Iterable[Any]:
        """A value's cell for each of the columns."""
        own = self._columns_of(value)
        if own == columns:
            return cast("Iterable[Any]", value.values())
        row = (
            {} if value is None else _flat(self._name, value) if own is None else dict(zip(own, value.values(), strict=True))
        )
        return map(row.get, columns)

    def _columns_of(self, value: Any) -> tuple[str, ...] | None:
        """The columns of a mapping of a shape that has been seen, if none of its items is a mapping."""
        columns = self._shapes.get(tuple(value)) if type(value) is dict else None
        return None if columns is None or not _NESTED.isdisjoint(map(type, value.values())) else columns


def _flat(name: str, value: Any) -> Row:
    cells: Row = {}
    _flatten(name, value, cells)
    return cells


def _flatten(name: str, value: Any, cells: Row) -> None:
    if type(value) is list and 0 < len(value) <= MAX_SEQUENCE and all(map(is_number, value)):
        value = {str(place): item for place, item in enumerate(value)}
    if type(value) is dict and 0 < len(value) <= MAX_COLUMNS:
        for key, item in value.items():
            _flatten(f"{name}.{key}" if name else key, item, cells)
        return
    while name in cells:  # {"a.b": 1, "a": {"b": 2}}
        name += "'"
    cells[name] = value
