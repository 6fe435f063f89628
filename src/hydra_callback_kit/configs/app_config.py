"""The app's own part of a config as plain values: resolved, without secrets, without Hydra's node."""

import enum
from typing import Any, Final

from omegaconf import DictConfig, ListConfig, Node
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.redaction import redaction_of
from hydra_callback_kit.journal.masking import masked

MAX_DEPTH: Final = 50
"""Interpolations that are nested deeper are not resolved to mappings and lists."""
MAX_BROUGHT_IN: Final = 10_000
"""So many mappings and lists are brought in by the interpolations of a config."""


def app_config(config: DictConfig) -> dict[str, Any]:
    """Returns the config that the task function gets, for people and for the record.

    `OmegaConf.to_container` does the same for a config that can be resolved as a whole, in five times the time.

    Args:
        config: the config that Hydra handed to a hook.

    Returns:
        Plain Python values, interpolations resolved, enums by name; missing values stay `???`. An interpolation that cannot
        be resolved is returned as it was written.
    """
    plain = _plain_app(config)
    redaction = redaction_of(config)
    # an interpolation may have brought a secret to where the key does not tell: postgres://user:${db.password}@host
    redacted: dict[str, Any] = masked(redaction.of_value(plain), redaction.secrets_in(plain))
    return redacted


def secrets_of(config: DictConfig) -> set[str]:
    """The secret texts of a config, which must not appear in what is written of an error either."""
    plain = _plain_app(config)
    return redaction_of(config).secrets_in(plain)


def _plain_app(config: DictConfig) -> dict[str, Any]:
    read = _Reader().read
    return {str(_name(key)): read(config, key, node, 1) for key, node in config.items_ex(resolve=False) if key != "hydra"}


class _Reader:
    """Reads one config. Interpolations may bring in what they stand in, without end: then they stay as they were written."""

    def __init__(self) -> None:
        self._brought_in = 0

    def read(self, parent: Any, key: Any, node: Any, depth: int) -> Any:
        value = node._value() if isinstance(node, Node) else node  # noqa: SLF001  as it was written; to read it takes much longer
        if isinstance(value, str) and ("${" in value or value == "???"):
            written = value
            try:
                node = value = parent[key]
            except OmegaConfBaseException:
                return written
            if isinstance(node, (DictConfig, ListConfig)):
                self._brought_in += 1
                if depth > MAX_DEPTH or self._brought_in > MAX_BROUGHT_IN:
                    return written
        if isinstance(node, DictConfig) and value is not None:
            return {_name(name): self.read(node, name, item, depth + 1) for name, item in node.items_ex(resolve=False)}
        if isinstance(node, ListConfig) and value is not None:
            items = enumerate(node._iter_ex(resolve=False))  # noqa: SLF001  the same
            return [self.read(node, index, item, depth + 1) for index, item in items]
        return _name(value)


def _name(value: Any) -> Any:
    return value.name if isinstance(value, enum.Enum) else value
