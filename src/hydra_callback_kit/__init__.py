"""Ready-made callbacks for Hydra: chosen by name, configured on the command line, correct under every launcher.

The public names are loaded on first use, so that a Hydra app pays for the callbacks it chose and for no others.
"""

import importlib
import os
import sys

TYPE_CHECKING = False  # as type checkers know it, without `typing`, which an app may hide
if TYPE_CHECKING:
    from typing import Any

    from hydra_callback_kit.callbacks.compose_once_callback import ComposeOnceCallback
    from hydra_callback_kit.callbacks.conditional_callback import ConditionalCallback
    from hydra_callback_kit.callbacks.detach_callback import DetachCallback
    from hydra_callback_kit.callbacks.device_callback import DeviceCallback
    from hydra_callback_kit.callbacks.dry_run_callback import DryRunCallback
    from hydra_callback_kit.callbacks.failure_limit_callback import FailureLimitCallback
    from hydra_callback_kit.callbacks.keep_best_callback import KeepBestCallback
    from hydra_callback_kit.callbacks.latest_run_callback import LatestRunCallback
    from hydra_callback_kit.callbacks.logging_callback import LoggingCallback
    from hydra_callback_kit.callbacks.mlflow_callback import MlflowCallback
    from hydra_callback_kit.callbacks.notification_callback import NotificationCallback
    from hydra_callback_kit.callbacks.output_capture_callback import OutputCaptureCallback
    from hydra_callback_kit.callbacks.output_guard_callback import OutputGuardCallback
    from hydra_callback_kit.callbacks.performance_callback import PerformanceCallback
    from hydra_callback_kit.callbacks.profiler_callback import ProfilerCallback
    from hydra_callback_kit.callbacks.progress_callback import ProgressCallback
    from hydra_callback_kit.callbacks.provenance_callback import ProvenanceCallback
    from hydra_callback_kit.callbacks.redaction_callback import RedactionCallback
    from hydra_callback_kit.callbacks.report_callback import ReportCallback
    from hydra_callback_kit.callbacks.resource_monitor_callback import ResourceMonitorCallback
    from hydra_callback_kit.callbacks.results_aggregator_callback import ResultsAggregatorCallback
    from hydra_callback_kit.callbacks.resume_callback import ResumeCallback
    from hydra_callback_kit.callbacks.retry_callback import RetryCallback
    from hydra_callback_kit.callbacks.tensorboard_callback import TensorboardCallback
    from hydra_callback_kit.callbacks.thread_safe_callback import ThreadSafeCallback
    from hydra_callback_kit.callbacks.time_limit_callback import TimeLimitCallback
    from hydra_callback_kit.callbacks.upload_callback import UploadCallback
    from hydra_callback_kit.callbacks.validation_callback import ValidationCallback
    from hydra_callback_kit.callbacks.wandb_callback import WandbCallback
    from hydra_callback_kit.hooks.abort import AbortRun, abort
    from hydra_callback_kit.hooks.facts import FactError, add_job_facts, add_run_facts
    from hydra_callback_kit.hooks.metrics import report_metrics
    from hydra_callback_kit.hooks.parameters import ParameterError
    from hydra_callback_kit.hooks.recording import RecordingCallback
    from hydra_callback_kit.journal.errors import JobError
    from hydra_callback_kit.journal.format import JournalNotFoundError
    from hydra_callback_kit.journal.records import JobRecord
    from hydra_callback_kit.launching.timeouts import JobTimeoutError, SweepTimeoutError
    from hydra_callback_kit.views.run import MetricNotFoundError, Run, load_run

__all__ = [
    "AbortRun",
    "ComposeOnceCallback",
    "ConditionalCallback",
    "DetachCallback",
    "DeviceCallback",
    "DryRunCallback",
    "FactError",
    "FailureLimitCallback",
    "JobError",
    "JobRecord",
    "JobTimeoutError",
    "JournalNotFoundError",
    "KeepBestCallback",
    "LatestRunCallback",
    "LoggingCallback",
    "MetricNotFoundError",
    "MlflowCallback",
    "NotificationCallback",
    "OutputCaptureCallback",
    "OutputGuardCallback",
    "ParameterError",
    "PerformanceCallback",
    "ProfilerCallback",
    "ProgressCallback",
    "ProvenanceCallback",
    "RecordingCallback",
    "RedactionCallback",
    "ReportCallback",
    "ResourceMonitorCallback",
    "ResultsAggregatorCallback",
    "ResumeCallback",
    "RetryCallback",
    "Run",
    "SweepTimeoutError",
    "TensorboardCallback",
    "ThreadSafeCallback",
    "TimeLimitCallback",
    "UploadCallback",
    "ValidationCallback",
    "WandbCallback",
    "abort",
    "add_job_facts",
    "add_run_facts",
    "load_run",
    "report_metrics",
]

_MODULES = {
    "AbortRun": "hooks.abort",
    "ComposeOnceCallback": "callbacks.compose_once_callback",
    "ConditionalCallback": "callbacks.conditional_callback",
    "DetachCallback": "callbacks.detach_callback",
    "DeviceCallback": "callbacks.device_callback",
    "DryRunCallback": "callbacks.dry_run_callback",
    "FactError": "hooks.facts",
    "FailureLimitCallback": "callbacks.failure_limit_callback",
    "JobError": "journal.errors",
    "JobRecord": "journal.records",
    "JobTimeoutError": "launching.timeouts",
    "JournalNotFoundError": "journal.format",
    "KeepBestCallback": "callbacks.keep_best_callback",
    "LatestRunCallback": "callbacks.latest_run_callback",
    "LoggingCallback": "callbacks.logging_callback",
    "MetricNotFoundError": "views.run",
    "MlflowCallback": "callbacks.mlflow_callback",
    "NotificationCallback": "callbacks.notification_callback",
    "OutputCaptureCallback": "callbacks.output_capture_callback",
    "OutputGuardCallback": "callbacks.output_guard_callback",
    "ParameterError": "hooks.parameters",
    "PerformanceCallback": "callbacks.performance_callback",
    "ProfilerCallback": "callbacks.profiler_callback",
    "ProgressCallback": "callbacks.progress_callback",
    "ProvenanceCallback": "callbacks.provenance_callback",
    "RecordingCallback": "hooks.recording",
    "RedactionCallback": "callbacks.redaction_callback",
    "ReportCallback": "callbacks.report_callback",
    "ResourceMonitorCallback": "callbacks.resource_monitor_callback",
    "ResultsAggregatorCallback": "callbacks.results_aggregator_callback",
    "ResumeCallback": "callbacks.resume_callback",
    "RetryCallback": "callbacks.retry_callback",
    "Run": "views.run",
    "SweepTimeoutError": "launching.timeouts",
    "TensorboardCallback": "callbacks.tensorboard_callback",
    "ThreadSafeCallback": "callbacks.thread_safe_callback",
    "TimeLimitCallback": "callbacks.time_limit_callback",
    "UploadCallback": "callbacks.upload_callback",
    "ValidationCallback": "callbacks.validation_callback",
    "WandbCallback": "callbacks.wandb_callback",
    "abort": "hooks.abort",
    "add_job_facts": "hooks.facts",
    "add_run_facts": "hooks.facts",
    "load_run": "views.run",
    "report_metrics": "hooks.metrics",
}

_LIBRARIES = frozenset(("click", "jinja2", "markupsafe", "psutil", "pynvml", "rich"))
"""Libraries that this package uses, and whose names an app may have taken for modules of its own."""


def _pass_by_the_apps_own_modules() -> None:
    """What this package imports is not the `statistics.py`, `secrets.py` or `rich.py` that lies beside an app."""
    standard = os.path.dirname(os.__file__)  # noqa: PTH120  pathlib would be slower
    if standard not in sys.path:
        return
    before = sys.path.index(standard)
    hiding = {}
    for place in sys.path[:before]:
        if not {"site-packages", "dist-packages"}.isdisjoint(place.split(os.sep)):  # noqa: PTH206  the same
            continue  # a library brings others along, as Ray does psutil
        try:
            files = os.listdir(place or ".")  # noqa: PTH208  the same
        except OSError:  # it is not there, or it is an archive
            continue
        names = {file.partition(".")[0] for file in files}
        names &= sys.stdlib_module_names | _LIBRARIES
        if names:
            hiding[place or os.getcwd()] = names  # noqa: PTH109  the same
    if hiding:
        from hydra_callback_kit import _own_imports  # noqa: PLC0415  hardly an app has such files

        _own_imports.find_past(hiding, sys.path[before:])


_pass_by_the_apps_own_modules()


def __getattr__(name: str) -> "Any":
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  slow to import, seldom asked for

        return version("hydra-callback-kit")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
