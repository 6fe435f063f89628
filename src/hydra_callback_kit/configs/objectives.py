"""What a sweeper optimises: in which direction, for one objective or several, and in how many jobs."""

import enum
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.reading import known_value


def sweep_directions(config: DictConfig) -> list[str]:
    """Tells which values a sweep is after.

    Args:
        config: the config of `on_multirun_start`.

    Returns:
        `minimize` or `maximize` for each objective, as the sweepers of Optuna, Nevergrad and Ax say it; empty for a sweeper
        that has no objective.
    """
    sweeper = config.hydra.sweeper
    if "direction" in sweeper:
        found: Any = known_value(config, "hydra.sweeper.direction")
        given = list(found) if OmegaConf.is_list(found) else [] if found is None else [found]
        return [(each.name if isinstance(each, enum.Enum) else str(each)).lower() for each in given]
    if "optim" in sweeper and OmegaConf.is_dict(sweeper.optim):
        return ["maximize" if known_value(config, "hydra.sweeper.optim.maximize") else "minimize"]
    if "ax_config" in sweeper:
        return ["minimize" if known_value(config, "hydra.sweeper.ax_config.experiment.minimize") else "maximize"]
    return []


def expected_jobs(config: DictConfig) -> int | None:
    """Tells how many jobs a sweeper is going to try that chooses them as it goes; it may stop before.

    Args:
        config: the config of `on_multirun_start`.

    Returns:
        `n_trials` of Optuna's sweeper, `optim.budget` of Nevergrad's, `ax_config.max_trials` of Ax's; None where none of
        them is a number.
    """
    for key in ("n_trials", "optim.budget", "ax_config.max_trials"):
        found = known_value(config, f"hydra.sweeper.{key}")
        if isinstance(found, int) and not isinstance(found, bool):
            return found
    return None
