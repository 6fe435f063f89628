"""Notes on a config: plain values that a hook leaves for the later hooks of the same run or job, in any process.

A callback cannot keep them on itself, for each worker has a copy of it. Hydra copies the resolver cache of the parent's
config into the config of every job, wherever that job runs: so `${now:...}` gives the same answer everywhere. The notes
lie in that cache. They reach the workers of every launcher, and those of a job end with its config.
"""

from typing import Any, Final

from omegaconf import DictConfig, OmegaConf

NOTES: Final = "hydra_callback_kit"
"""What the notes are called in the cache, where resolvers keep their answers under their names."""


def notes_of(config: DictConfig) -> dict[str, Any]:
    """Returns the notes on a config; what is written into the dict is a note from then on.

    Args:
        config: the config that Hydra handed to a hook.

    Returns:
        A dict. What a run's hooks put there must be plain: each job, and each config that a task function gets, starts with
        a copy of it. What a job's hooks put there stays with that job.
    """
    notes: dict[str, Any] = OmegaConf.get_cache(config).setdefault(NOTES, {})
    return notes
