"""The configs that a run's jobs will have, composed before any job starts, and each as its task function will see it.

Hydra takes tens of milliseconds to compose a config. Jobs that differ only in values share what Hydra composes from their
choices of config groups; their values are then set in a copy, by the function with which Hydra sets them.
"""

import contextlib
import copy
import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.core.utils import env_override
from omegaconf import DictConfig, OmegaConf, flag_override

from hydra_callback_kit.configs.given_overrides import hydra_overrides
from hydra_callback_kit.configs.hydra_internals import config_loader_impl
from hydra_callback_kit.configs.reading import known_value, unchanged_randomness
from hydra_callback_kit.configs.sweep_jobs import config_loader, parse_override

_BASES: Final = 64
"""How many combinations of config groups are kept; the last of a sweep's overrides varies fastest."""


class Shared(NamedTuple):
    """What a job shares with others that choose the same config groups.

    Attributes:
        choices: the overrides that choose them.
        config: what Hydra composes from these. Not to be changed.
        values: the job's other overrides, which are set in a copy of it.
    """

    choices: tuple[str, ...]
    config: DictConfig
    values: Sequence[Override]


class JobConfigs:
    """Composes the configs of a sweep's jobs.

    Args:
        config: the config of `on_multirun_start`; it is not changed.
    """

    def __init__(self, config: DictConfig) -> None:
        self._config = config
        self._loader = config_loader()
        self._parsed = functools.lru_cache(maxsize=10_000)(parse_override)
        self._is_group = functools.lru_cache(maxsize=None)(self._asked_is_group)
        self._base = functools.lru_cache(maxsize=_BASES)(self._composed)

    def compose(self, job_num: int, overrides: Sequence[str]) -> DictConfig:
        """Composes one job's config, `hydra` node included, as the launchers will.

        Args:
            job_num: the job's index in the sweep.
            overrides: the job's overrides.

        Returns:
            A config of its own, equal to what Hydra composes. The job's id, which its launcher has still to give, is
            `job_id_for_<num>`, as launchers themselves say until they know.

        Raises:
            HydraException: if Hydra cannot compose it.
            OmegaConfBaseException: the same.
            ValueError: the same.
        """
        shared = self.shared(overrides)
        if shared is None:
            config = self._composed(tuple(overrides))
        else:
            config = copy.deepcopy(shared.config)
            set_values(config, shared.values)
            _state_overrides(config, [self._parsed(override) for override in overrides])
        with flag_override(config, ["struct", "readonly"], [False, False]):
            config.hydra.job.num = job_num
            config.hydra.job.id = f"job_id_for_{job_num}"
        return config

    def shared(self, overrides: Sequence[str]) -> Shared | None:
        """What a job shares with others.

        Args:
            overrides: the job's overrides.

        Returns:
            None if Hydra has to compose the job by itself.

        Raises:
            HydraException: as above.
            OmegaConfBaseException: the same.
            ValueError: the same.
        """
        parsed = [self._parsed(override) for override in overrides]
        choices = [override for override in parsed if self._is_choice(override)]
        if any(override.is_hydra_override() or isinstance(override.value(), dict) for override in choices):
            return None
        lines = tuple(str(override.input_line) for override in choices)
        return Shared(lines, self._base(lines), [override for override in parsed if not self._is_choice(override)])

    def choices(self, overrides: Sequence[str]) -> tuple[str, ...]:
        """Those of a job's overrides that decide which files it is composed of: jobs with the same have the same keys."""
        return tuple(str(each.input_line) for each in map(self._parsed, overrides) if self._is_choice(each))

    def _composed(self, overrides: tuple[str, ...]) -> DictConfig:
        return self._loader.load_sweep_config(self._config, list(overrides))

    def _is_choice(self, override: Override) -> bool:
        """What decides which files are composed, and in doubt the rest, is left to Hydra."""
        if override.package is not None or override.is_hydra_override():
            return True
        return self._is_group(override.key_or_group)

    def _asked_is_group(self, key: str) -> bool:
        config_name, overrides = self._config.hydra.job.config_name, hydra_overrides(self._config)
        options = self._loader.get_group_options(key, results_filter=None, config_name=config_name, overrides=overrides)
        return bool(options)


def set_values(config: DictConfig, overrides: Sequence[Override]) -> None:
    """Sets values in a config, exactly as Hydra does.

    Args:
        config: what Hydra has composed.
        overrides: overrides that choose no config group.

    Raises:
        HydraException: if Hydra cannot.
        OmegaConfBaseException: the same.
    """
    config_loader_impl.ConfigLoaderImpl._apply_overrides_to_config(list(overrides), config)  # noqa: SLF001  Hydra's own


@contextlib.contextmanager
def seen_by_the_job(config: DictConfig) -> Iterator[DictConfig]:
    """Shows a config as the job's task function will see it: `${hydra:...}` and `hydra.job.env_set` included.

    Args:
        config: a job's config with its `hydra` node, or a single run's; it is as before when the context ends.

    Yields:
        A copy without the `hydra` node; resolving it changes no job's config.
    """
    with resolved_as_in_the_job(config), unchanged_randomness():
        yield app_part(config)


@contextlib.contextmanager
def resolved_as_in_the_job(config: DictConfig) -> Iterator[None]:
    """Lets interpolations say what they will say in the job: `${hydra:...}` and `hydra.job.env_set` included.

    Args:
        config: a job's config with its `hydra` node, or a single run's; it is as before when the context ends.
    """
    before = HydraConfig.instance().cfg
    HydraConfig.instance().cfg = config  # type: ignore[assignment]  # Hydra too keeps a config with a `hydra` node there
    try:
        directory = _output_dir(config)
        if directory is not None:
            _set_output_dir(config, os.path.abspath(directory))  # noqa: PTH100  as Hydra does
        with env_override(_variables(config)):
            yield
    finally:
        HydraConfig.instance().cfg = before
        _set_output_dir(config, "???")


def app_part(config: DictConfig) -> DictConfig:
    """A copy of a config without the `hydra` node, as the task function gets it.

    Args:
        config: a config that Hydra composed.
    """
    part = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    OmegaConf.copy_cache(from_config=config, to_config=part)
    return part


def _set_output_dir(config: DictConfig, directory: str) -> None:
    """Hydra sets it as the job starts."""
    with flag_override(config.hydra.runtime, ["struct", "readonly"], [False, False]):
        config.hydra.runtime.output_dir = directory


def _output_dir(config: DictConfig) -> str | None:
    """None where only a resolver of the app's can tell."""
    if OmegaConf.is_missing(config.hydra.job, "num"):
        directory = known_value(config, "hydra.run.dir")
        return None if directory is None else str(directory)
    parts = known_value(config, "hydra.sweep.dir"), known_value(config, "hydra.sweep.subdir")
    return None if None in parts else os.path.join(*map(str, parts))  # noqa: PTH118  as Hydra does


def _variables(config: DictConfig) -> dict[str, str]:
    """The environment variables that the job will have besides; what cannot be resolved, Hydra itself will speak of."""
    known = {str(name): known_value(config, f"hydra.job.env_set.{name}") for name in config.hydra.job.env_set}
    return {name: str(value) for name, value in known.items() if value is not None}


def _state_overrides(config: DictConfig, overrides: Iterable[Override]) -> None:
    """Writes into the config which overrides it has, as Hydra does."""
    config.hydra.overrides.task = [override.input_line for override in overrides]
    dirname: Any = getattr(config_loader_impl, "get_overrides_dirname", None)
    if dirname is not None:  # since Hydra 1.4 an interpolation says it
        how = config.hydra.job.config.override_dirname
        config.hydra.job.override_dirname = dirname(
            overrides=list(overrides), kv_sep=how.kv_sep, item_sep=how.item_sep, exclude_keys=how.exclude_keys
        )
