"""A job's config, made of what was composed before: in the sweep's process, or in the worker that it travels to."""

import functools
import os
import pickle
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict

from hydra_callback_kit.configs.difference import difference
from hydra_callback_kit.configs.hydra_internals import config_loader_impl
from hydra_callback_kit.configs.quick_copy import let_copies_be_quick, quick_copy

_AT_HAND: Final = 8
"""How many configs a process keeps ready to be copied."""


class Base:
    """A config that Hydra has composed for all jobs that choose the same of its groups; it is never changed.

    It is kept as bytes. Where it would not come out of them as it went in, it is kept as it is, and stays in its process.

    Args:
        config: the config; nobody else may hold it.
    """

    def __init__(self, config: DictConfig) -> None:
        self._kept: bytes | DictConfig = config
        self._named = True
        try:
            plain = pickle.dumps(config, pickle.HIGHEST_PROTOCOL)
            if difference(pickle.loads(plain), config) is None:  # noqa: S301  its own bytes
                self._kept = zlib.compress(plain, 1)
                self._named = b"__main__" not in plain
        except Exception:  # noqa: BLE001  whatever the values of an app say to being pickled
            return

    @property
    def travels(self) -> bool:
        """Whether another process gets it as it is here."""
        return isinstance(self._kept, bytes)

    def copy(self) -> DictConfig:
        """A config of its own for a job."""
        return quick_copy(self.shared())

    def shared(self) -> DictConfig:
        """The config itself, to be looked at."""
        return _at_hand(self._kept) if isinstance(self._kept, bytes) else self._kept

    def __getstate__(self) -> dict[str, Any]:
        """What travels: classes of the app's script have no name elsewhere, so the launcher's pickle has to send them."""
        return vars(self) if self._named else {**vars(self), "_kept": self.shared()}


class ComposedJob(NamedTuple):
    """What a job's config is made of.

    Attributes:
        base: what is copied.
        overrides: all overrides of the job.
        values: the places of those that are still to be set in the copy.
    """

    base: Base
    overrides: tuple[str, ...]
    values: tuple[int, ...]


def made(job: ComposedJob, master: DictConfig) -> DictConfig:
    """Makes the config of a job, equal to what `load_sweep_config` returns in this process.

    Args:
        job: what it is made of.
        master: the sweep's config.

    Raises:
        KeyError: if a variable that `hydra.job.env_copy` names is not set, as Hydra raises it.
    """
    config = job.base.copy()
    overrides = [parsed(override) for override in job.overrides]
    set_values([overrides[place] for place in job.values], config)
    _state_overrides([override for override in overrides if not override.is_hydra_override()], config)
    with open_dict(config.hydra):
        for name in config.hydra.job.env_copy:
            config.hydra.job.env_set[name] = os.environ[name]
    config.hydra.runtime.cwd = os.getcwd()  # noqa: PTH109  as Hydra does
    OmegaConf.copy_cache(from_config=master, to_config=config)
    let_copies_be_quick(config)
    let_copies_be_quick(config.hydra)
    return config


def set_values(overrides: Sequence[Override], config: DictConfig) -> None:
    """Sets values in a config, by the function with which Hydra sets them.

    Args:
        overrides: overrides that choose no option of a group.
        config: what is changed.

    Raises:
        HydraException: as Hydra does.
        OmegaConfBaseException: the same.
    """
    config_loader_impl.ConfigLoaderImpl._apply_overrides_to_config(list(overrides), config)  # noqa: SLF001  exactly Hydra's


@functools.lru_cache(maxsize=10_000)
def parsed(override: str) -> Override:
    """Reads one override of a job, as Hydra does when it composes the job's config.

    Args:
        override: the override; nobody may change what is returned.

    Raises:
        HydraException: if Hydra cannot read it.
    """
    return _parser().parse_override(str(override))


@functools.cache
def _parser() -> OverridesParser:
    return OverridesParser.create()


@functools.lru_cache(maxsize=_AT_HAND)
def _at_hand(data: bytes) -> DictConfig:
    config: DictConfig = pickle.loads(zlib.decompress(data))  # noqa: S301  of a Base of the same sweep
    return config


def _state_overrides(overrides: Iterable[Override], config: DictConfig) -> None:
    """Writes into the config which overrides of the app it has, as Hydra does."""
    for override in overrides:
        config.hydra.overrides.task.append(override.input_line)
    dirname: Any = getattr(config_loader_impl, "get_overrides_dirname", None)
    if dirname is not None:  # since Hydra 1.4 an interpolation says it
        how = config.hydra.job.config.override_dirname
        config.hydra.job.override_dirname = dirname(
            overrides=list(overrides), kv_sep=how.kv_sep, item_sep=how.item_sep, exclude_keys=how.exclude_keys
        )
