"""A sweep's jobs before any of them is started: each job's overrides, where the sweeper knows them in advance."""

import random
from collections.abc import Mapping
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.given_overrides import are_from_python, task_overrides
from hydra_callback_kit.configs.hydra_internals import BasicSweeper
from hydra_callback_kit.configs.reading import reading

_BASIC_SWEEPER = f"{BasicSweeper.__module__}.{BasicSweeper.__qualname__}"

_SEARCH_SPACES = ("params", "search_space", "parametrization", "ax_config.params")
"""Where sweepers keep the keys they choose values for: the basic one, Optuna, Nevergrad and Ax."""


def is_basic_sweeper(sweeper: DictConfig) -> bool:
    """Tells whether `hydra.sweeper` is the one that runs the product of the overrides."""
    return bool(sweeper.get("_target_") == _BASIC_SWEEPER)


def looks_at_values(config: DictConfig) -> bool:
    """Tells whether somebody looks at what the jobs of a sweep return: its sweeper, or who has called Hydra from Python.

    Args:
        config: the config of `on_multirun_start`.
    """
    return not is_basic_sweeper(config.hydra.sweeper) or are_from_python(config)


def sweep_jobs(config: DictConfig) -> list[list[str]] | None:
    """Lists the jobs that a sweep will start.

    Args:
        config: the config of `on_multirun_start`.

    Returns:
        Each job's overrides, in the order of the jobs' numbers; None when the sweeper chooses as it goes (all but Hydra's
        basic sweeper).

    Raises:
        HydraException: if Hydra cannot read the overrides; it says so itself as soon as the sweep starts.
    """
    if not is_basic_sweeper(config.hydra.sweeper):
        return None
    # `shuffle(...)` draws here as it will for the sweep itself: from the same state, and leaving the same state behind
    state = random.getstate()
    try:
        (jobs,) = BasicSweeper.split_arguments(_parsed(_search_space(config, "params") + task_overrides(config)), None)
    finally:
        random.setstate(state)
    return jobs


def sample_job(config: DictConfig) -> tuple[list[str], set[str]]:
    """Makes up a job such as a sweeper that chooses as it goes might start.

    Args:
        config: the config of `on_multirun_start`.

    Returns:
        The overrides that all jobs have, with the first value of each search space; and the keys that the sweeper chooses.

    Raises:
        HydraException: if Hydra cannot read the overrides.
    """
    spaces = [override for node in _SEARCH_SPACES for override in _search_space(config, node)]
    chosen = {key for node in _SEARCH_SPACES for key in _mapping(config, node)}
    overrides: dict[str, str] = {}
    for override in _parsed([*spaces, *task_overrides(config)]):
        key = override.get_key_element()
        if not override.is_sweep_override():
            overrides[key] = f"{key}={override.get_value_element_as_str()}"
            continue
        chosen.add(key)
        space: Any = override.value()
        first = next(override.sweep_string_iterator()) if override.is_discrete_sweep() else space.start
        overrides[key] = f"{key}={first}"
    return list(overrides.values()), {key.lstrip("+") for key in chosen}


def config_loader() -> ConfigLoader:
    """The loader that composes this app's configs."""
    hydra = GlobalHydra.instance().hydra
    if hydra is None:
        raise HydraException("Hydra is not running: no config can be composed")
    return hydra.config_loader


def parse_override(override: str) -> Override:
    """Reads one override; `glob(...)` finds its options in the app's config groups."""
    return _parsed([override])[0]


def _parsed(overrides: list[str]) -> list[Override]:
    return OverridesParser.create(config_loader=config_loader()).parse_overrides(overrides)


def _mapping(config: DictConfig, node: str) -> Mapping[str, Any]:
    found = OmegaConf.select(config.hydra.sweeper, node)
    if not isinstance(found, Mapping):
        return {}
    with reading(config):
        return {str(key): found[key] for key in found}


def _search_space(config: DictConfig, node: str) -> list[str]:
    """The entries that are written in the grammar of overrides; the others are the sweeper's own language."""
    return [f"{key}={value}" for key, value in _mapping(config, node).items() if not isinstance(value, (Mapping, list))]
