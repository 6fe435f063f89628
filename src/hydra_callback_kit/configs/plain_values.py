"""Parts of a config as plain Python values, interpolations resolved as far as that needs no resolver of the app's."""

import enum
from collections.abc import Iterator
from typing import Any, Final

from omegaconf import AnyNode, DictConfig, ListConfig, Node
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.containers import is_container

MAX_DEPTH: Final = 50
"""Interpolations that are nested deeper are not resolved to mappings and lists."""
MAX_BROUGHT_IN: Final = 10_000
"""So many mappings and lists are brought in by the interpolations of a config."""

_QUICK: Final = frozenset((bool, float, int, type(None)))
"""Types of values that are plain, and no interpolation."""


class PlainReader:
    """Reads one config. Interpolations may bring in what they stand in, without end: then they stay as they were written.

    Attributes:
        as_written: the keys of the interpolations that were left as they are written.
    """

    def __init__(self) -> None:
        self._brought_in = 0
        self.as_written: list[str] = []

    def read(self, parent: Any, key: Any, node: Any, path: tuple[str, ...]) -> Any:
        """Reads what lies at a key; the caller has opened `reading` for the config.

        Args:
            parent: the container.
            key: the key, or an index.
            node: the node that lies there, as it is written.
            path: the whole key.
        """
        is_leaf = type(node) is AnyNode  # as most are: see `is_container`
        # as it was written; to read it takes much longer
        value = node._value() if is_leaf or isinstance(node, Node) else node  # noqa: SLF001
        if isinstance(value, str) and ("${" in value or value == "???"):
            written = value
            try:
                node = value = parent[key]
            except OmegaConfBaseException:
                return self._left(written, path)
            is_leaf = False
            if is_container(node):
                self._brought_in += 1
                if len(path) > MAX_DEPTH or self._brought_in > MAX_BROUGHT_IN:
                    return self._left(written, path)
        if is_leaf:
            return plain_name(value)
        if isinstance(node, DictConfig) and value is not None:
            return {plain_name(name): item for name, item in self.items(node, path)}
        if isinstance(node, ListConfig) and value is not None:
            items = enumerate(node._iter_ex(resolve=False))  # noqa: SLF001  the same
            return [self.read(node, index, item, (*path, str(index))) for index, item in items]
        return plain_name(value)

    def items(self, mapping: DictConfig, path: tuple[str, ...] = (), but: str | None = None) -> Iterator[tuple[Any, Any]]:
        """Reads what lies in a mapping: the keys as they are, and the values.

        Args:
            mapping: the mapping; neither null nor missing nor an interpolation.
            path: the whole key of it.
            but: a key that is left out.
        """
        for key, node in mapping.__dict__["_content"].items():
            if key != but:
                # most are such leaves, and to call `read` takes longer than all else that is done for one
                value = node._val if type(node) is AnyNode else node  # noqa: SLF001  as it is written
                yield key, value if type(value) in _QUICK else self.read(mapping, key, node, (*path, str(plain_name(key))))

    def _left(self, written: str, path: tuple[str, ...]) -> str:
        if written != "???":
            self.as_written.append(".".join(path))
        return written


def plain_name(value: Any) -> Any:
    """A value as it is, but enums by name."""
    return value.name if isinstance(value, enum.Enum) else value
