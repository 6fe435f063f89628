"""The app's own part of a config as plain values: resolved, without secrets, without Hydra's node."""

import enum
from typing import Any

from omegaconf import DictConfig, ListConfig, Node
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.record.redaction import masked, redaction_of


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
    return {str(_name(key)): _plain(config, key, node) for key, node in config.items_ex(resolve=False) if key != "hydra"}


def _plain(parent: Any, key: Any, node: Any) -> Any:
    value = node._value() if isinstance(node, Node) else node  # noqa: SLF001  as it was written; to read it takes much longer
    if isinstance(value, str) and ("${" in value or value == "???"):
        try:
            node = value = parent[key]
        except OmegaConfBaseException:
            return value
    if isinstance(node, DictConfig) and value is not None:
        return {_name(name): _plain(node, name, item) for name, item in node.items_ex(resolve=False)}
    if isinstance(node, ListConfig) and value is not None:
        return [_plain(node, index, item) for index, item in enumerate(node._iter_ex(resolve=False))]  # noqa: SLF001  the same
    return _name(value)


def _name(value: Any) -> Any:
    return value.name if isinstance(value, enum.Enum) else value
