"""Puts the conductor in its place: the sweeper that asks Hydra for the user's launcher gets the conductor around it.

A sweeper asks `Plugins.instance().instantiate_launcher(...)`. From `on_multirun_start` until then the object has a method of
its own under this name. So nothing in any config speaks of the conductor, and who reads one sees the user's launcher.
"""

import os
from typing import Any, Final

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.launching.conductor import Conductor
from hydra_callback_kit.launching.policy import Policy

_METHOD: Final = "instantiate_launcher"

_waiting: Final[dict[tuple[int, str], list[Policy]]] = {}
"""By process and run: the policies of sweeps whose launcher is still to be made."""


def put_in_place(config: DictConfig, policy: Policy) -> None:
    """Lets a policy act on a sweep; the first one puts the conductor in place.

    Args:
        config: that of `on_multirun_start`.
        policy: what decides.
    """
    _waiting.setdefault(_key(config), []).append(policy)
    vars(Plugins.instance()).setdefault(_METHOD, _instantiate_launcher)


def _instantiate_launcher(*args: Any, **kwargs: Any) -> Launcher:
    plugins = Plugins.instance()
    config: DictConfig = kwargs["config"] if "config" in kwargs else args[-1]
    policies = _waiting.pop(_key(config), ())
    if not _waiting:
        vars(plugins).pop(_METHOD, None)
    launcher: Launcher = Plugins.instantiate_launcher(plugins, *args, **kwargs)
    return Conductor(launcher, policies, config) if policies else launcher


def _key(config: DictConfig) -> tuple[int, str]:
    return os.getpid(), identify_run(config).run_id
