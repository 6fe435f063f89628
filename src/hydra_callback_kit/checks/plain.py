"""A config as plain values, and what has none: missing values and interpolations that cannot be resolved."""

import enum
from collections.abc import Iterator
from typing import Any, NamedTuple

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.checks.violation import Violation, dotted, first_line
from hydra_callback_kit.configs.plain_values import MAX_BROUGHT_IN, MAX_DEPTH


class Plain(NamedTuple):
    """What a config says.

    Attributes:
        values: the resolved values as plain Python, without what has no value.
        missing: the keys that are still `???`.
        unresolved: a violation for each interpolation that cannot be resolved.
    """

    values: dict[str, Any]
    missing: list[str]
    unresolved: list[Violation]


def plain(config: DictConfig) -> Plain:
    """Reads a config without changing it.

    Args:
        config: the config without the `hydra` node.
    """
    found = Plain({}, [], [])
    found.values.update(_Reader(found).content(config, ()))
    return found


class _Reader:
    def __init__(self, found: Plain) -> None:
        self._found = found
        self._brought_in = 0

    def content(self, node: DictConfig | ListConfig, path: tuple[str | int, ...]) -> Any:
        if isinstance(node, DictConfig):
            return {key: value for key in node for value in self._value(node, key, path)}
        # a list keeps its places, so that the index in a message is that of the config
        items = (tuple(self._value(node, index, path)) for index in range(len(node)))
        return [item[0] if item else _written(node, index) for index, item in enumerate(items)]

    def _value(self, node: DictConfig | ListConfig, key: Any, path: tuple[str | int, ...]) -> Iterator[Any]:
        """The value at a key, or nothing if it has none."""
        here = (*path, key.name if isinstance(key, enum.Enum) else key)
        if OmegaConf.is_missing(node, key):
            self._found.missing.append(dotted(here))
            return
        try:
            value = node[key]
            if isinstance(value, (DictConfig, ListConfig)):
                self._brought_in += OmegaConf.is_interpolation(node, key)
                if len(here) > MAX_DEPTH or self._brought_in > MAX_BROUGHT_IN:
                    raise RecursionError("it contains itself")
                value = self.content(value, here)
            yield value
        except (OmegaConfBaseException, RecursionError, SystemExit) as error:
            problem = f"cannot be resolved: {first_line(error)}"
            self._found.unresolved.append(Violation(dotted(here), problem, _written(node, key)))


def _written(node: DictConfig | ListConfig, key: Any) -> Any:
    unresolved: Any = OmegaConf.to_container(node, resolve=False)
    return unresolved[key]
