"""The configs of a sweep's jobs, composed for all who look at them as the sweep starts."""

from typing import Any, Final, NamedTuple

from omegaconf import DictConfig

from hydra_callback_kit.configs.given_overrides import hydra_overrides
from hydra_callback_kit.configs.job_configs import JobConfigs


class _OfASweep(NamedTuple):
    """The configs of the jobs of one sweep.

    Attributes:
        config: the sweep's.
        decides: what Hydra composes them of.
        jobs: the configs.
    """

    config: DictConfig
    decides: tuple[Any, ...]
    jobs: JobConfigs


_last_asked_for: Final[list[_OfASweep]] = []


def job_configs(config: DictConfig) -> JobConfigs:
    """The configs of a sweep's jobs: what they share is composed once, and what was validated is what runs.

    Args:
        config: the config of `on_multirun_start`; it is not changed.
    """
    # beside a job's own overrides; another callback may have changed it
    decides = (config.hydra.job.config_name, *hydra_overrides(config))
    if not any(known.config is config and known.decides == decides for known in _last_asked_for):
        _last_asked_for[:] = [_OfASweep(config, decides, JobConfigs(config))]
    return _last_asked_for[0].jobs
