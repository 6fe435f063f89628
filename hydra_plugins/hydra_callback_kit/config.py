"""The options that users choose from, stored in the groups `callbacks` and `hydra/callbacks`.

Hydra imports this module at the start of every Hydra app on the machine, so it does next to nothing: an option's config is
made when an app chooses it.
"""

from hydra.core.config_store import ConfigNode, ConfigStore
from omegaconf import DictConfig

OPTIONS = (
    "compose_once_callback",
    "conditional_callback",
    "detach_callback",
    "device_callback",
    "dry_run_callback",
    "failure_limit_callback",
    "keep_best_callback",
    "latest_run_callback",
    "logging_callback",
    "mlflow_callback",
    "notification_callback",
    "output_capture_callback",
    "output_guard_callback",
    "performance_callback",
    "profiler_callback",
    "progress_callback",
    "provenance_callback",
    "redaction_callback",
    "report_callback",
    "resource_monitor_callback",
    "results_aggregator_callback",
    "resume_callback",
    "retry_callback",
    "tensorboard_callback",
    "thread_safe_callback",
    "time_limit_callback",
    "upload_callback",
    "validation_callback",
    "wandb_callback",
)

SETS = {
    "standard_callbacks": (
        "logging_callback",
        "performance_callback",
        "results_aggregator_callback",
        "provenance_callback",
        "latest_run_callback",
    ),
}
"""Several options under one name."""


class Option(ConfigNode):
    """A stored config that is made when it is looked at.

    Args:
        group: the group that the option or set is stored in.
        option: its name.
    """

    def __init__(self, group: str, option: str) -> None:
        # `_global_` first: an option chosen inside experiment/x.yaml would land in `experiment.hydra.callbacks`
        package = f"_global_.hydra.callbacks.{option}" if option in OPTIONS else "_global_.hydra.callbacks"
        self._option = option
        self._copy: DictConfig | None = None
        self.name, self.group, self.package, self.provider = f"{option}.yaml", group, package, "hydra_callback_kit"

    @property
    def node(self) -> DictConfig:
        """The config. The ConfigStore copies this object, then sets a copy of the config in it."""
        if self._copy is not None:
            return self._copy
        from hydra_plugins.hydra_callback_kit._configs import config_of, config_of_set  # noqa: PLC0415  see there

        return config_of_set(SETS[self._option]) if self._option in SETS else config_of(self._option)

    @node.setter
    def node(self, node: DictConfig) -> None:
        self._copy = node


def _store() -> None:
    repository = ConfigStore.instance().repo
    for group in ("callbacks", "hydra/callbacks"):
        folder = repository
        for name in group.split("/"):
            folder = folder.setdefault(name, {})
        for option in (*OPTIONS, *SETS):
            # an app's own config of the same name was stored before, and stays
            folder.setdefault(f"{option}.yaml", Option(group, option))


_store()
