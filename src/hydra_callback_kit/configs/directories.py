"""The directories of a config, as Hydra is going to resolve them."""

import os
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, flag_override
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.reading import known_value
from hydra_callback_kit.journal.errors import message_of
from hydra_callback_kit.journal.overrides import quoted_value


class DirectoryNotKnownError(OmegaConfBaseException):
    """A config does not say where its run goes: an interpolation fails, or a value is missing. Hydra is about to say so."""


def directory_of(config: DictConfig, key: str) -> Path:
    """Tells where a run goes, absolute, with the answers that Hydra will get.

    Hydra resolves the directory in the same config a moment later. A resolver of the app's that keeps its answers gives
    Hydra the same one then. Where one keeps none, and a single run is about to start, the answer is put into the config in
    the place of the interpolation, so that the resolver is called once, as it would be without us.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
        key: `hydra.run.dir` or `hydra.sweep.dir`.

    Raises:
        DirectoryNotKnownError: if it cannot be resolved.
    """
    return absolute_directory(config, resolved_directory(config, key))


def resolved_directory(config: DictConfig, key: str) -> str:
    """The same as it is written, resolved: relative to where the app was started, if it is written so.

    Args:
        config: as above.
        key: the same.

    Raises:
        DirectoryNotKnownError: as above.
    """
    before = HydraConfig.instance().cfg
    HydraConfig.instance().cfg = config  # type: ignore[assignment]  # Hydra too keeps a config with a `hydra` node there
    try:
        directory = OmegaConf.select(config, key, throw_on_missing=True)
        if key == "hydra.run.dir" and known_value(config, key) is None:
            with flag_override(config, ["struct", "readonly"], [False, False]):
                OmegaConf.update(config, key, str(directory))
    except Exception as error:
        reason = message_of(error).partition("\n")[0]
        raise DirectoryNotKnownError(f"{key} cannot be resolved: {reason}") from error
    finally:
        HydraConfig.instance().cfg = before
    return str(directory)


def hand_on_directory(config: DictConfig, key: str, directory: str) -> None:
    """Has a run go where another process has said, as an override of Hydra's config would have it.

    Args:
        config: as above.
        key: the same.
        directory: as `resolved_directory` tells it there.
    """
    container, name = key.rpartition(".")[::2]
    written: Any = OmegaConf.to_container(OmegaConf.select(config, container), resolve=False)
    if written.get(name) == directory:
        return
    with flag_override(config.hydra, ["struct", "readonly"], [False, False]):  # Hydra 1.4 has the node itself read-only
        OmegaConf.update(config, key, directory)
        config.hydra.overrides.hydra.append(f"{key}={quoted_value(directory)}")  # a sweep's jobs are composed from them


def resolved_again(config: DictConfig, key: str) -> Path | None:
    """Tells what a directory would be with the answers that the config's cache holds now; None if it does not hold all.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
        key: `hydra.run.dir` or `hydra.sweep.dir`.
    """
    directory = known_value(config, key)
    return None if directory is None else absolute_directory(config, str(directory))


def is_shared(config: DictConfig, directory: str) -> bool:
    """Tells whether other jobs of a sweep may write into the same place.

    Args:
        config: the config of a job's hook.
        directory: a name relative to the job's output directory, or an absolute one.

    Returns:
        False for a single run; True where the name is absolute, or `hydra.sweep.subdir` says the same for all jobs.
    """
    if config.hydra.job.get("num") is None:
        return False
    subdir: Any = OmegaConf.to_container(config.hydra.sweep, resolve=False)
    return os.path.isabs(directory) or "${" not in str(subdir.get("subdir"))  # noqa: PTH117  as everywhere here


def absolute_directory(config: DictConfig, directory: str) -> Path:
    """Makes a directory of a config absolute: relative ones start where the app was started, also after a `chdir`.

    Args:
        config: the config that Hydra handed to a hook.
        directory: such as `hydra.run.dir`.

    Returns:
        The path without `..`; links in it are not followed.
    """
    return Path(os.path.abspath(os.path.join(config.hydra.runtime.cwd, directory)))  # noqa: PTH100, PTH118  `..` must go
