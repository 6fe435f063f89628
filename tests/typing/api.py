"""Only the type checker runs this: the public API, typed as users see it."""

from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from hydra_callback_kit import (
    AbortRun,
    ConditionalCallback,
    DetachCallback,
    DryRunCallback,
    FailureLimitCallback,
    JobError,
    JobRecord,
    JobTimeoutError,
    JournalNotFoundError,
    KeepBestCallback,
    LatestRunCallback,
    LoggingCallback,
    MetricNotFoundError,
    NotificationCallback,
    OutputCaptureCallback,
    OutputGuardCallback,
    ParameterError,
    PerformanceCallback,
    ProfilerCallback,
    ProgressCallback,
    ProvenanceCallback,
    RedactionCallback,
    ReportCallback,
    ResourceMonitorCallback,
    ResultsAggregatorCallback,
    Run,
    ThreadSafeCallback,
    TimeLimitCallback,
    UploadCallback,
    ValidationCallback,
    abort,
    load_run,
)

callbacks: list[Callback] = [
    LoggingCallback(level="DEBUG", log_config=True, log_return_value=False, log_traceback=False),
    PerformanceCallback(level="DEBUG", output_file=None),
    RedactionCallback(keys=["password"]),
    NotificationCallback(urls=["json://127.0.0.1"], events=["end"], template="{app}", min_interval_s=30.0, timeout_s=5.0),
    OutputCaptureCallback(file="output.log", separate=False, tee=True, tail_lines=50),
    OutputGuardCallback(policy="warn", min_free_bytes=10**9),
    ProgressCallback(interval_s=60.0),
    FailureLimitCallback(max_failures=3),
    TimeLimitCallback(job_s=60.0, sweep_s=3600.0, action="interrupt", grace_s=5.0),
    DetachCallback(output_file="terminal.log"),
    DryRunCallback(show_config=True),
    ResourceMonitorCallback(interval_s=0.5, include_children=False, gpu="off", output_file=None),
    ReportCallback(
        output_file="out.html", metric="loss", mode="min", title="A sweep", plotly_js="directory", max_table_rows=100
    ),
    ResultsAggregatorCallback(
        output_file=["results.csv"], include_config=False, sort_by="loss", mode="min", top_k=3, average_over=["seed"]
    ),
    ThreadSafeCallback(callbacks={"timing": PerformanceCallback()}, output_file="jobs.json"),
    ConditionalCallback("model.name", ["cnn", "mlp"], operator="in", job_status="FAILED", callbacks={}),
    UploadCallback(
        to="s3://bucket/runs",
        what=["**"],
        exclude=["*.ckpt"],
        delete_local=False,
        timeout_s=600.0,
        storage_options={"endpoint_url": "http://127.0.0.1:9000"},
    ),
    ValidationCallback(
        required_keys=["x"],
        forbid_missing=True,
        json_schema={"type": "object"},
        model="app.Model",
        forbid_duplicates=True,
        check_sweep=True,
        on_invalid="warn",
    ),
    ProvenanceCallback(require_clean=True, environment=["SLURM_*"], max_patch_bytes=0, git_timeout_s=2.5),
    LatestRunCallback(name="newest"),
    ProfilerCallback(profiler="cprofile", jobs=[0, 3], every_rank=True),
    KeepBestCallback("accuracy", mode="max", keep=1, what=["**/*.ckpt"], dry_run=True, link=None),
]

guarding = ThreadSafeCallback()
with guarding.lock:
    state: dict[str, object] = guarding.snapshot()["0"]

try:
    LoggingCallback("LOUD")
except ParameterError as error:
    parameter: str = error.parameter
    allowed: str = error.allowed


class Guard(Callback):
    """A user's own callback that stops a run."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Stops it."""
        try:
            abort(config, "the data is not there", exit_code=2)
        except AbortRun as aborted:
            message: str = aborted.message
            exit_code: int = aborted.exit_code
            raise RuntimeError(message, exit_code) from aborted


try:
    run: Run = load_run("multirun/2025-03-01/14-05-09", run_id=None)
    best: JobRecord = run.best("accuracy", mode="max")
    overrides: dict[str, Any] = best.overrides
    failed: list[JobRecord] = run.failed
    errors: list[JobError | None] = [job.error for job in run.jobs]
    rows: list[dict[str, Any]] = run.rows()
    status: str = run.status
except JournalNotFoundError as error:
    print(error.root)  # noqa: T201  what a script would do
except MetricNotFoundError as error:
    known: list[str] = error.known


def cleans_up(error: JobTimeoutError) -> bool:
    """What a task function sees of a time limit."""
    return isinstance(error, TimeoutError) and error.interrupts
