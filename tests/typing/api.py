"""Only the type checker runs this: the public API, typed as users see it."""

from hydra.experimental.callback import Callback

from hydra_callback_kit import (
    ConditionalCallback,
    LoggingCallback,
    ParameterError,
    PerformanceCallback,
    RedactionCallback,
    ResultsAggregatorCallback,
    ThreadSafeCallback,
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
