"""Ready-made callbacks for Hydra: chosen by name, configured on the command line, correct under every launcher.

The public names are loaded on first use, so that a Hydra app pays for the callbacks it chose and for no others.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydra_callback_kit.callbacks.abort import AbortRun, abort
    from hydra_callback_kit.callbacks.conditional_callback import ConditionalCallback
    from hydra_callback_kit.callbacks.logging_callback import LoggingCallback
    from hydra_callback_kit.callbacks.parameters import ParameterError
    from hydra_callback_kit.callbacks.performance_callback import PerformanceCallback
    from hydra_callback_kit.callbacks.redaction_callback import RedactionCallback
    from hydra_callback_kit.callbacks.results_aggregator_callback import ResultsAggregatorCallback
    from hydra_callback_kit.callbacks.thread_safe_callback import ThreadSafeCallback
    from hydra_callback_kit.callbacks.validation_callback import ValidationCallback

__all__ = [
    "AbortRun",
    "ConditionalCallback",
    "LoggingCallback",
    "ParameterError",
    "PerformanceCallback",
    "RedactionCallback",
    "ResultsAggregatorCallback",
    "ThreadSafeCallback",
    "ValidationCallback",
    "abort",
]

_MODULES = {
    "AbortRun": "callbacks.abort",
    "ConditionalCallback": "callbacks.conditional_callback",
    "LoggingCallback": "callbacks.logging_callback",
    "ParameterError": "callbacks.parameters",
    "PerformanceCallback": "callbacks.performance_callback",
    "RedactionCallback": "callbacks.redaction_callback",
    "ResultsAggregatorCallback": "callbacks.results_aggregator_callback",
    "ThreadSafeCallback": "callbacks.thread_safe_callback",
    "ValidationCallback": "callbacks.validation_callback",
    "abort": "callbacks.abort",
}


def __getattr__(name: str) -> Any:
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
