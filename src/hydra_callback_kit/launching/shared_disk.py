"""Which launchers start jobs on machines that may not share the disk with the sweep's process."""

from typing import Final

from omegaconf import DictConfig

_MAY_NOT_SHARE: Final = ("hydra_plugins.hydra_ray_launcher.", "hydra_plugins.hydra_rq_launcher.")
"""How the targets of their nodes begin."""


def may_not_share_the_disk(config: DictConfig) -> bool:
    """Tells it of the launcher that a sweep uses.

    Args:
        config: that of `on_multirun_start`.
    """
    return str((config.hydra.get("launcher") or {}).get("_target_")).startswith(_MAY_NOT_SHARE)
