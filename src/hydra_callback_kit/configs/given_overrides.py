"""The overrides that a config was composed from, as they were written.

Hydra keeps them in a list of the config itself, where OmegaConf takes `x=${y}` for an interpolation to resolve.
"""

import sys
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


def are_from_python(config: DictConfig) -> bool:
    """Tells whether the overrides come from a call, not from the words of a command.

    `hydra.main` takes them from `sys.argv`, and sets the mode; other callers do not, on Hydra 1.3.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
    """
    words = {*sys.argv, *sys.orig_argv}
    return config.hydra.mode is None or any(
        override not in words and not override.startswith("hydra.mode=")
        for override in (*task_overrides(config), *hydra_overrides(config))
    )
