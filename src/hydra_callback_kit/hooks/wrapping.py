"""Callbacks inside a callback: checked as it is built, and called as Hydra calls its own."""

from collections.abc import Mapping
from typing import Any

from hydra.core.utils import JobReturn
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.hooks.hydra_callback import Callback
from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.journal.safe_log import SafeLogger


class WrappedCallbacks:
    """The callbacks that another callback holds.

    Args:
        given: what Hydra made of the parameter `callbacks`: it has built the nodes below it before the callback itself. A
            name whose node is null is left out.
        log: where errors go.

    Raises:
        ParameterError: if something in it is not a callback.
    """

    def __init__(self, given: Mapping[str, Any], log: SafeLogger) -> None:
        self.by_name = _checked(given)  # a plain dict: OmegaConf's would carry the whole config into every pickle
        self._log = log

    def forward(self, hook: str, **arguments: Any) -> None:
        """Calls a hook of each callback in their order, reversed at the ends, as Hydra does.

        An error is logged with the callback's name, and the others are called. An exception that is meant to stop the run
        (a `SystemExit`) passes.

        Args:
            hook: the hook's name, such as `on_job_start`.
            arguments: what Hydra passed to it.
        """
        callbacks = list(self.by_name.items())
        for name, callback in reversed(callbacks) if hook.endswith("_end") else callbacks:
            try:
                getattr(callback, hook)(**arguments)
            except Exception as error:  # noqa: BLE001  the others still have their work to do
                self._log.error(
                    "The wrapped callback '%s' (%s) failed in %s. The job and the other callbacks are not affected.",
                    name,
                    type(callback).__name__,
                    hook,
                    exc_info=error,
                )


def make_up_for_the_end(callback: Callback, config: DictConfig) -> None:
    """Calls the end hook that Hydra did not call.

    Args:
        callback: the callback that wraps others.
        config: the config of the hook that started the run.
    """
    if identify_run(config).mode == "MULTIRUN":
        callback.on_multirun_end(config=config)
    else:
        callback.on_run_end(config=config, job_return=JobReturn())  # of unknown status, for the job never returned


def _checked(given: Mapping[str, Any]) -> dict[str, Callback]:
    if isinstance(given, Callback) or not isinstance(given, Mapping):
        raise ParameterError(
            "callbacks",
            type(given).__name__,
            "a mapping from names to callbacks",
            "Give each callback a name: `callbacks: {mine: {_target_: ...}}`, or choose a ready-made one with "
            "`/callbacks@hydra.callbacks.<this option>.callbacks.<name>: <name>`.",
        )
    callbacks = {str(name): callback for name, callback in given.items() if callback is not None}
    for name, callback in callbacks.items():
        if not isinstance(callback, Callback):
            raise ParameterError(
                f"callbacks.{name}",
                callback,
                "the node of a callback",
                "It needs a _target_ that names a subclass of hydra.experimental.callback.Callback.",
            )
    return callbacks
