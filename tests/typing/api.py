"""Only the type checker runs this: the public API, typed as users see it."""

from typing import Any

from hydra.experimental.callback import Callback

from hydra_callback_kit import (
    ConditionalCallback,
    JobError,
    JobRecord,
    JournalNotFoundError,
    LoggingCallback,
    MetricNotFoundError,
    ParameterError,
    PerformanceCallback,
    RedactionCallback,
    ResultsAggregatorCallback,
    Run,
    ThreadSafeCallback,
    load_run,
)

callbacks: list[Callback] = [
    LoggingCallback(level="DEBUG", log_config=True, log_return_value=False, log_traceback=False),
    PerformanceCallback(level="DEBUG", output_file=None),
    RedactionCallback(keys=["password"]),
    ResultsAggregatorCallback(
        output_file=["results.csv"], include_config=False, sort_by="loss", mode="min", top_k=3, average_over=["seed"]
    ),
    ThreadSafeCallback(callbacks={"timing": PerformanceCallback()}, output_file="jobs.json"),
    ConditionalCallback("model.name", ["cnn", "mlp"], operator="in", job_status="FAILED", callbacks={}),
]

guarding = ThreadSafeCallback()
with guarding.lock:
    state: dict[str, object] = guarding.snapshot()["0"]

try:
    LoggingCallback("LOUD")
except ParameterError as error:
    parameter: str = error.parameter
    allowed: str = error.allowed

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
