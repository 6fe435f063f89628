"""Only the type checker runs this: the public API, typed as users see it."""

from hydra.experimental.callback import Callback

from hydra_callback_kit import (
    LoggingCallback,
    ParameterError,
    PerformanceCallback,
    RedactionCallback,
    ResultsAggregatorCallback,
)

callbacks: list[Callback] = [
    LoggingCallback(level="DEBUG", log_config=True, log_return_value=False, log_traceback=False),
    PerformanceCallback(level="DEBUG", output_file=None),
    RedactionCallback(keys=["password"]),
    ResultsAggregatorCallback(
        output_file=["results.csv"], include_config=False, sort_by="loss", mode="min", top_k=3, average_over=["seed"]
    ),
]

try:
    LoggingCallback("LOUD")
except ParameterError as error:
    parameter: str = error.parameter
    allowed: str = error.allowed
