"""The app's own part of a config as plain values: resolved, without secrets, without Hydra's node."""

from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.record.redaction import redaction_of


def app_config(config: DictConfig) -> dict[str, Any]:
    """Returns the config that the task function gets, for people and for the record.

    Args:
        config: the config that Hydra handed to a hook.

    Returns:
        Plain Python values, interpolations resolved; missing values stay `???`. Where an interpolation below a top-level key
        cannot be resolved, that key is returned as it was written.
    """
    plain = {str(key): _plain(config, key) for key in config if key != "hydra"}
    redacted: dict[str, Any] = redaction_of(config).of_value(plain)
    return redacted


def _plain(config: DictConfig, key: Any) -> Any:
    if OmegaConf.is_missing(config, key):
        return "???"
    try:
        value = config[key]
        return OmegaConf.to_container(value, resolve=True, enum_to_str=True) if OmegaConf.is_config(value) else value
    except OmegaConfBaseException:
        unresolved = OmegaConf.to_container(OmegaConf.masked_copy(config, key), resolve=False, enum_to_str=True)
        return unresolved[key] if isinstance(unresolved, dict) else "???"
