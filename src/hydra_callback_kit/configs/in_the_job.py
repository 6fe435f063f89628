"""A config as its job's task function will see it, before the job starts."""

import contextlib
import os
from collections.abc import Iterator

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import env_override
from omegaconf import AnyNode, DictConfig, OmegaConf, ValueNode, flag_override

from hydra_callback_kit.configs.quick_copy import quick_copy
from hydra_callback_kit.configs.reading import known_value, unchanged_randomness


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

    Hydra makes it by `OmegaConf.masked_copy`, which takes a tenth of a second for a thousand keys.

    Args:
        config: a config that Hydra composed.
    """
    part = DictConfig({})
    content = vars(part)["_content"]
    with flag_override(part, "no_deepcopy_set_nodes", True):
        for key, node in vars(config)["_content"].items():
            if type(node) is AnyNode and not node._metadata.flags:  # noqa: SLF001  nothing else says it
                content[key] = made = quick_copy(node)  # it takes forty times as long to make one
                made._set_parent(part)  # noqa: SLF001  the same
            elif isinstance(node, ValueNode):
                content[key] = AnyNode(node._value(), key, part)  # noqa: SLF001  not resolved
            elif key != "hydra":
                part[key] = quick_copy(node)
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
