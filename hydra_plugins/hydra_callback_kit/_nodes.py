"""What the options take: one class a callback. What each parameter means stands in the docstring of the class it targets."""

from dataclasses import field
from typing import Any


class LoggingCallback:
    """`callbacks: [logging_callback]`."""

    _target_: str = "hydra_callback_kit.LoggingCallback"
    level: str = "INFO"
    log_config: bool = False
    log_return_value: bool = True
    log_traceback: bool = True


class PerformanceCallback:
    """`callbacks: [performance_callback]`."""

    _target_: str = "hydra_callback_kit.PerformanceCallback"
    level: str = "INFO"
    output_file: str | None = "performance.json"


class ResultsAggregatorCallback:
    """`callbacks: [results_aggregator_callback]`."""

    _target_: str = "hydra_callback_kit.ResultsAggregatorCallback"
    output_file: Any = "results.json"  # a name or a list of names, which OmegaConf has no type for
    include_config: bool = True
    include_hydra: bool = False
    sort_by: str | None = None
    mode: str | None = None
    top_k: int = 10
    average_over: list[str] = field(default_factory=list)
    rank_by: str = "mean"
    safe_csv: bool = False
    metrics_file: str | None = None


_SECRET_KEYS = (
    *("password", "passwords", "passwd", "passphrase", "token", "secret", "secrets", "credential", "credentials"),
    *("api_key", "api_keys", "access_key", "access_keys", "private_key", "private_keys", "secret_key", "secret_keys"),
)


class RedactionCallback:
    """`callbacks: [redaction_callback]`."""

    _target_: str = "hydra_callback_kit.RedactionCallback"
    keys: list[str] = field(default_factory=lambda: list(_SECRET_KEYS))


class ResourceMonitorCallback:
    """`callbacks: [resource_monitor_callback]`."""

    _target_: str = "hydra_callback_kit.ResourceMonitorCallback"
    interval_s: float = 1.0
    include_children: bool = True
    gpu: str = "auto"
    output_file: str | None = "resources.csv"


class ReportCallback:
    """`callbacks: [report_callback]`."""

    _target_: str = "hydra_callback_kit.ReportCallback"
    output_file: str = "report.html"
    metric: str | None = None
    mode: str | None = None
    title: str | None = None
    plotly_js: str = "inline"
    max_table_rows: int = 10_000


class ThreadSafeCallback:
    """`callbacks: [thread_safe_callback]`."""

    _target_: str = "hydra_callback_kit.ThreadSafeCallback"
    callbacks: dict[str, Any] = field(default_factory=dict)
    output_file: str | None = None


class ConditionalCallback:
    """`callbacks: [conditional_callback]`."""

    _target_: str = "hydra_callback_kit.ConditionalCallback"
    condition_key: str | None = None
    condition_value: Any = True
    operator: str = "eq"
    job_status: str | None = None
    callbacks: dict[str, Any] = field(default_factory=dict)


class ValidationCallback:
    """`callbacks: [validation_callback]`."""

    _target_: str = "hydra_callback_kit.ValidationCallback"
    _recursive_: bool = False  # a schema may speak of keys named `_target_`
    required_keys: list[str] = field(default_factory=list)
    forbid_missing: bool = False
    json_schema: Any = None
    model: str | None = None
    forbid_duplicates: bool = False
    check_sweep: bool = True
    on_invalid: str = "abort"


class OutputCaptureCallback:
    """`callbacks: [output_capture_callback]`."""

    _target_: str = "hydra_callback_kit.OutputCaptureCallback"
    file: str = "output.log"
    separate: bool = False
    tee: bool = True
    tail_lines: int = 50


class OutputGuardCallback:
    """`callbacks: [output_guard_callback]`."""

    _target_: str = "hydra_callback_kit.OutputGuardCallback"
    policy: str = "abort"
    min_free_bytes: Any = None  # a number, or a text with a unit


class ProgressCallback:
    """`callbacks: [progress_callback]`."""

    _target_: str = "hydra_callback_kit.ProgressCallback"
    interval_s: float = 30.0


class ComposeOnceCallback:
    """`callbacks: [compose_once_callback]`."""

    _target_: str = "hydra_callback_kit.ComposeOnceCallback"
    check: bool = False


class FailureLimitCallback:
    """`callbacks: [failure_limit_callback]`."""

    _target_: str = "hydra_callback_kit.FailureLimitCallback"
    max_failures: int = 1


class ResumeCallback:
    """`callbacks: [resume_callback]`."""

    _target_: str = "hydra_callback_kit.ResumeCallback"
    resume_from: str | None = None
    ignore: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=lambda: ["COMPLETED"])
    on_changed_code: str = "warn"
    assume_gone: bool = False


class RetryCallback:
    """`callbacks: [retry_callback]`."""

    _target_: str = "hydra_callback_kit.RetryCallback"
    retries: int = 2
    errors: list[str] = field(default_factory=list)
    wait_s: float = 0.0
    backoff: float = 2.0
    overrides: dict[str, Any] = field(default_factory=dict)


class TimeLimitCallback:
    """`callbacks: [time_limit_callback]`."""

    _target_: str = "hydra_callback_kit.TimeLimitCallback"
    job_s: float | None = None
    sweep_s: float | None = None
    action: str = "fail"
    grace_s: float = 10.0


class DetachCallback:
    """`callbacks: [detach_callback]`."""

    _target_: str = "hydra_callback_kit.DetachCallback"
    output_file: str = "detached.log"


class DeviceCallback:
    """`callbacks: [device_callback]`."""

    _target_: str = "hydra_callback_kit.DeviceCallback"
    devices: Any = "auto"  # a word or a list of numbers and texts, which OmegaConf has no type for
    variable: str = "CUDA_VISIBLE_DEVICES"
    cores: Any = None
    jobs_per_device: int = 1


class DryRunCallback:
    """`callbacks: [dry_run_callback]`."""

    _target_: str = "hydra_callback_kit.DryRunCallback"
    show_config: bool = False


class ProvenanceCallback:
    """`callbacks: [provenance_callback]`."""

    _target_: str = "hydra_callback_kit.ProvenanceCallback"
    require_clean: bool = False
    environment: list[str] = field(default_factory=list)
    max_patch_bytes: int = 10_000_000
    git_timeout_s: float = 10.0


class LatestRunCallback:
    """`callbacks: [latest_run_callback]`."""

    _target_: str = "hydra_callback_kit.LatestRunCallback"
    name: str = "latest"


class KeepBestCallback:
    """`callbacks: [keep_best_callback]`."""

    _target_: str = "hydra_callback_kit.KeepBestCallback"
    metric: str | None = None
    mode: str | None = None
    keep: int = 3
    what: list[Any] = field(default_factory=lambda: ["*.ckpt"])  # as a text 3 would be a name
    dry_run: bool = False
    link: str | None = "best"


class ProfilerCallback:
    """`callbacks: [profiler_callback]`."""

    _target_: str = "hydra_callback_kit.ProfilerCallback"
    profiler: str = "pyinstrument"
    jobs: Any = "first"  # or a list of numbers
    every_rank: bool = False


class MlflowCallback:
    """`callbacks: [mlflow_callback]`."""

    _target_: str = "hydra_callback_kit.MlflowCallback"
    experiment: str | None = None
    tracking_uri: str | None = None
    nested: bool = True
    tags: dict[str, Any] = field(default_factory=dict)
    log_artifacts: list[Any] = field(default_factory=lambda: [".hydra", "*.log"])
    log_config: bool = True
    timeout_s: float = 10.0
    setup_timeout_s: float = 60.0


class WandbCallback:
    """`callbacks: [wandb_callback]`."""

    _target_: str = "hydra_callback_kit.WandbCallback"
    project: str | None = None
    entity: str | None = None
    group: str | None = None
    job_type: str | None = None
    tags: list[str] = field(default_factory=list)
    mode: str | None = None
    log_config: bool = True
    timeout_s: float = 10.0


class TensorboardCallback:
    """`callbacks: [tensorboard_callback]`."""

    _target_: str = "hydra_callback_kit.TensorboardCallback"
    directory: str = "tensorboard"
    log_config: bool = False


class NotificationCallback:
    """`callbacks: [notification_callback]`."""

    _target_: str = "hydra_callback_kit.NotificationCallback"
    urls: Any = field(default_factory=list)  # one or a list; OmegaConf's own error would quote one that it does not take
    events: list[str] = field(default_factory=lambda: ["end", "failure", "first_failure", "abort"])
    template: str | None = None
    min_interval_s: float = 60.0
    timeout_s: float = 10.0


class UploadCallback:
    """`callbacks: [upload_callback]`."""

    _target_: str = "hydra_callback_kit.UploadCallback"
    to: str | None = None
    what: list[Any] = field(default_factory=lambda: ["**"])
    exclude: list[Any] = field(default_factory=lambda: ["*.ckpt"])
    delete_local: bool = False
    timeout_s: float = 600.0
    storage_options: dict[str, Any] = field(default_factory=dict)


OPTIONS: dict[str, type[Any]] = {
    "logging_callback": LoggingCallback,
    "performance_callback": PerformanceCallback,
    "redaction_callback": RedactionCallback,
    "resource_monitor_callback": ResourceMonitorCallback,
    "report_callback": ReportCallback,
    "results_aggregator_callback": ResultsAggregatorCallback,
    "thread_safe_callback": ThreadSafeCallback,
    "conditional_callback": ConditionalCallback,
    "validation_callback": ValidationCallback,
    "output_capture_callback": OutputCaptureCallback,
    "output_guard_callback": OutputGuardCallback,
    "progress_callback": ProgressCallback,
    "failure_limit_callback": FailureLimitCallback,
    "resume_callback": ResumeCallback,
    "retry_callback": RetryCallback,
    "time_limit_callback": TimeLimitCallback,
    "detach_callback": DetachCallback,
    "device_callback": DeviceCallback,
    "compose_once_callback": ComposeOnceCallback,
    "dry_run_callback": DryRunCallback,
    "provenance_callback": ProvenanceCallback,
    "latest_run_callback": LatestRunCallback,
    "keep_best_callback": KeepBestCallback,
    "profiler_callback": ProfilerCallback,
    "mlflow_callback": MlflowCallback,
    "upload_callback": UploadCallback,
    "wandb_callback": WandbCallback,
    "tensorboard_callback": TensorboardCallback,
    "notification_callback": NotificationCallback,
}
