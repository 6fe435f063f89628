"""Puts the conductor in its place: the sweeper that asks Hydra for the user's launcher gets the conductor around it.

Hydra asks `Plugins.instance().instantiate_sweeper(...)` after `on_multirun_start`, and the sweeper asks
`instantiate_launcher(...)` of the same object. Until then it has methods of its own under these names. So nothing in any
config speaks of the conductor, and who reads one sees the user's sweeper and launcher.
"""

import os
from collections.abc import Sequence
from typing import Any, Final

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.launching.conductor import Conductor
from hydra_callback_kit.launching.policy import Policy

_METHODS: Final = ("instantiate_sweeper", "instantiate_launcher")

_waiting: Final[dict[tuple[int, str], list[Policy]]] = {}
"""By process and run: the policies of sweeps whose launcher is still to be made."""


def put_in_place(config: DictConfig, policy: Policy) -> None:
    """Lets a policy act on a sweep; the first one puts the conductor in place.

    Args:
        config: that of `on_multirun_start`.
        policy: what decides.
    """
    _waiting.setdefault(_key(config), []).append(policy)
    for name, method in zip(_METHODS, (_instantiate_sweeper, _instantiate_launcher), strict=True):
        vars(Plugins.instance()).setdefault(name, method)


def _instantiate_sweeper(*args: Any, **kwargs: Any) -> Sweeper:
    config = _config(args, kwargs)
    policies = _in_order(_waiting.get(_key(config), ()))
    for policy in policies:
        kwargs["hydra_context"] = policy.context_of_sweeper(kwargs["hydra_context"])
    sweeper: Sweeper = Plugins.instantiate_sweeper(Plugins.instance(), *args, **kwargs)
    for policy in policies:
        policy.sees_sweeper(sweeper)
    return sweeper


def _instantiate_launcher(*args: Any, **kwargs: Any) -> Launcher:
    plugins = Plugins.instance()
    config = _config(args, kwargs)
    policies = _in_order(_waiting.pop(_key(config), ()))
    if not _waiting:
        for name in _METHODS:
            vars(plugins).pop(name, None)
    named = dict(zip(("hydra_context", "task_function", "config"), args, strict=False)) | kwargs
    for policy in policies:
        named["hydra_context"] = policy.context_of_jobs(named["hydra_context"])
        named["task_function"] = policy.task_of_jobs(named["task_function"])
    launcher: Launcher = Plugins.instantiate_launcher(plugins, **named)
    for policy in policies:
        policy.set_up(launcher)
    return Conductor(launcher, policies, config) if policies else launcher


def _config(args: Sequence[Any], kwargs: dict[str, Any]) -> DictConfig:
    config: DictConfig = kwargs["config"] if "config" in kwargs else args[-1]
    return config


def _in_order(policies: Sequence[Policy]) -> list[Policy]:
    return sorted(policies, key=lambda policy: policy.place)


def _key(config: DictConfig) -> tuple[int, str]:
    return os.getpid(), identify_run(config).run_id
