"""A condition on a config: one key, one operator, one value; a pure function of the config it is asked about."""

import enum
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a config says to a condition.

    Attributes:
        holds: whether the condition holds.
        why: why it could not be told, and so does not hold; empty if it could.
    """

    holds: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a config.

    Attributes:
        key: where the value stands: dotted, `a.list[0]` as well.
        operator: one of `OPERATORS`.
        value: what the config's value is compared with; not looked at by `exists` and `missing`.
    """

    key: str
    operator: str
    value: Any

    def ask(self, config: DictConfig) -> Verdict:
        """Looks the key up and compares. Never raises for what a config holds.

        Enums are compared by name, paths as text, lists and mappings by content. A mandatory value that is not given
        (`???`) is missing.

        Args:
            config: any config.

        Returns:
            Whether the condition holds, and why that could not be told.
        """
        try:
            found = OmegaConf.select(config, self.key, default=_ABSENT)
            value = _plain(found)
        except OmegaConfBaseException as error:
            return Verdict(False, f"{self.key} cannot be resolved: {str(error).partition(chr(10))[0]}")
        if self.operator in ("exists", "missing"):
            return Verdict((found is not _ABSENT) == (self.operator == "exists"))
        if found is _ABSENT:
            return Verdict(False, f"the config has no {self.key}")
        try:
            return Verdict(bool(_COMPARISONS[self.operator](value, self.value)))
        except TypeError:
            kinds = f"{_kind(value)}, the condition's value {_kind(self.value)}"
            return Verdict(False, f"{self.key} is {kinds}: `{self.operator}` cannot compare them")


_ABSENT: Final = object()

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "in": lambda value, values: value in values,
    "contains": operator.contains,
    "matches": lambda text, pattern: re.search(pattern, text) is not None,
}

OPERATORS: Final = (*_COMPARISONS, "exists", "missing")


def _plain(value: Any) -> Any:
    if OmegaConf.is_config(value):
        return OmegaConf.to_container(value, resolve=True, enum_to_str=True)
    if isinstance(value, enum.Enum):
        return value.name
    return str(value) if isinstance(value, PurePath) else value


def _kind(value: Any) -> str:
    return "null" if value is None else f"of type {type(value).__name__}"
