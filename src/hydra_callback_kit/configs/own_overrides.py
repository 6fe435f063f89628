"""Overrides that choose callbacks of this package: they start the run again, but say nothing of what the app varied."""

import re
from collections.abc import Iterable
from typing import Final

OPTIONS: Final = frozenset(
    (
        *("compose_once_callback", "conditional_callback", "detach_callback", "device_callback", "dry_run_callback"),
        *("failure_limit_callback", "keep_best_callback", "latest_run_callback", "logging_callback", "mlflow_callback"),
        *("notification_callback", "output_capture_callback", "output_guard_callback", "performance_callback"),
        *("profiler_callback", "progress_callback", "provenance_callback", "redaction_callback", "report_callback"),
        *("resource_monitor_callback", "results_aggregator_callback", "resume_callback", "retry_callback"),
        *("tensorboard_callback", "thread_safe_callback", "time_limit_callback", "upload_callback", "validation_callback"),
        "wandb_callback",
        "standard_callbacks",
    )
)
"""The options and sets that the group `callbacks` has from this package."""

_CHOICE: Final = r"[+~]{0,2}(?:hydra/)?callbacks(?:@[^=]*)?(?:=(.*))?"


def of_the_app(overrides: Iterable[str]) -> list[str]:
    """Leaves out the overrides that choose nothing but callbacks of this package.

    Args:
        overrides: such as `["lr=0.1", "callbacks=[performance_callback]"]`.

    Returns:
        `["lr=0.1"]`. A group `callbacks` of the app's own is the app's: `callbacks=early_stopping` stays.
    """
    return [override for override in overrides if "callbacks" not in override or not _is_own(override)]


def _is_own(override: str) -> bool:
    choice = re.fullmatch(_CHOICE, override)
    return choice is not None and set(re.findall(r"[^\s\[\],'\"]+", choice[1] or "")) <= OPTIONS
