"""The nodes below `hydra.callbacks`: what a config says of callbacks, and what it meant to say."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.given_overrides import hydra_overrides

_DEFAULTS: Final = rb"(?ms)^defaults[ \t]*:.*?(?=^[^\s#-]|\Z)"
"""A defaults list as it is mostly written: what comes after it has no part in it."""


def callback_nodes(config: DictConfig) -> dict[str, Any]:
    """The nodes below `hydra.callbacks`, as plain values in which nothing is resolved.

    Args:
        config: the config that Hydra handed to a hook.
    """
    nodes = OmegaConf.to_container(OmegaConf.select(config, "hydra.callbacks") or OmegaConf.create(), resolve=False)
    return {str(name): node for name, node in nodes.items()} if isinstance(nodes, dict) else {}


def names_of_options() -> list[str]:
    """The names that the group `hydra/callbacks` offers: this package's options, and what else is stored there."""
    group: Any = ConfigStore.instance().repo.get("hydra", {}).get("callbacks", {})
    return [name.removesuffix(".yaml") for name in group]


def replaced_settings(config: DictConfig) -> Iterator[tuple[str, Any, Any]]:
    """The settings of the primary config that the default values of their options have replaced.

    That is what a defaults list with `_self_` before `callbacks` does.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.

    Yields:
        `<option>.<parameter>`, the value that the primary config sets, and the option's own, which is used instead.
    """
    nodes, group = callback_nodes(config), ConfigStore.instance().repo.get("callbacks", {})
    chosen = [name for name in nodes if f"{name}.yaml" in group]
    primary = _primary_config(config) if chosen else None
    settings = primary and OmegaConf.select(primary, "hydra.callbacks", throw_on_missing=False)
    if not isinstance(settings, DictConfig):
        return
    overridden = " ".join(hydra_overrides(config))
    written: Any = OmegaConf.to_container(settings, resolve=False)
    for name in chosen:
        own: Any = OmegaConf.to_container(group[f"{name}.yaml"].node, resolve=False)
        given, used = written.get(name), nodes[name]
        if f"hydra.callbacks.{name}" in overridden or not isinstance(given, dict) or not isinstance(used, dict):
            continue
        for key, value in given.items():
            if key in own and used.get(key) == own[key] != value:
                yield f"{name}.{key}", value, own[key]


def _primary_config(config: DictConfig) -> Any:
    """The primary config as it is written, without what its defaults list adds; None where it cannot be had."""
    hydra = GlobalHydra.instance().hydra
    name = OmegaConf.select(config, "hydra.job.config_name")
    if hydra is None or name is None or not _may_have_self_first(config, name):
        return None
    try:
        loaded = hydra.config_loader.repository.load_config(f"{name.removesuffix('.yaml')}.yaml")  # type: ignore[attr-defined]  # of the loader that Hydra makes
    except Exception:  # noqa: BLE001  Hydra has composed it in its own way; this is only for a warning
        return None
    return loaded and loaded.config


def _may_have_self_first(config: DictConfig, name: str) -> bool:
    """A look at the text of the primary config, where it is a file: to parse it takes fifty times as long."""
    for source in OmegaConf.select(config, "hydra.runtime.config_sources") or ():
        file = Path(source.path) / f"{name.removesuffix('.yaml')}.yaml"
        if source.schema == "file" and file.is_file():
            text = file.read_bytes()
            found = re.search(_DEFAULTS, text)
            text = text if found is None else found[0]
            return 0 <= text.find(b"_self_") < text.rfind(b"callbacks")
    return True
