"""What travels with a config: plain values that every hook of a run or of a job finds again, in any process.

Hydra copies the resolver cache of the parent's config into the config of every job, in whichever process that job runs:
this is how `${now:...}` gives the same answer everywhere. Values kept in that cache reach the workers of every launcher
without anything living on a callback, and a job's own values end with its config.
"""

from typing import Any

from omegaconf import DictConfig, OmegaConf


def carried_values(config: DictConfig) -> dict[str, Any]:
    """Returns the values that travel with `config`; writing to the dict writes to what travels.

    Args:
        config: the config that Hydra handed to a hook.

    Returns:
        A dict. What a run's hooks put there must be plain: each job, and each config that a task function gets, starts with
        a copy of it. What a job's hooks put there stays with that job.
    """
    values: dict[str, Any] = OmegaConf.get_cache(config).setdefault("hydra_callback_kit", {})
    return values
