"""The overrides that a config was composed from, as they were written.

Hydra keeps them in a list of the config itself, where OmegaConf takes `x=${y}` for an interpolation to resolve.
"""

from typing import cast

from omegaconf import DictConfig, OmegaConf


def task_overrides(config: DictConfig) -> list[str]:
    """The overrides of the app's config.

    Args:
        config: the config that Hydra handed to a hook.
    """
    return cast("list[str]", OmegaConf.to_container(config.hydra.overrides.task, resolve=False))


def hydra_overrides(config: DictConfig) -> list[str]:
    """The overrides of Hydra's own config.

    Args:
        config: the config that Hydra handed to a hook.
    """
    return cast("list[str]", OmegaConf.to_container(config.hydra.overrides.hydra, resolve=False))
