"""Has a single run call another task function than the app's: it has no launcher that could.

Hydra's `run` calls `on_run_start`, and then `run_job` with the same config. Until then that is a function of ours, which
puts itself out of the way as it is called.
"""

import sys
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from hydra.types import TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.configs.hydra_internals import Hydra

_Wrap = Callable[[TaskFunction], TaskFunction]

_module: Final[Any] = sys.modules[Hydra.__module__]
"""Where `run` looks for `run_job`."""


def wrap_task_of(config: DictConfig, wrap: _Wrap) -> None:
    """Has a single run call what is made of its task function.

    Args:
        config: that of `on_run_start`.
        wrap: makes it.
    """
    if _module.run_job is not _run_job:
        _hydras[:] = [_module.run_job]
        _module.run_job = _run_job
    thread = threading.get_ident()
    # a run that was refused after `on_run_start` never called it
    _wraps[:] = [other for other in _wraps if other.thread != thread or other.config is config]
    _wraps.append(_Wrapping(thread, config, wrap))


class _Wrapping(NamedTuple):
    """What is to be wrapped, and how."""

    thread: int
    config: DictConfig
    wrap: _Wrap


def _run_job(*args: Any, **kwargs: Any) -> Any:
    config = kwargs.get("config")
    mine = [wrapping.wrap for wrapping in _wraps if wrapping.config is config]
    _wraps[:] = [wrapping for wrapping in _wraps if wrapping.config is not config]
    run_job = _hydras[0]
    if not _wraps:
        _module.run_job = run_job
    for wrap in mine:
        kwargs["task_function"] = wrap(kwargs["task_function"])
    return run_job(*args, **kwargs)


_wraps: Final[list[_Wrapping]] = []

_hydras: Final[list[Any]] = []
"""Hydra's own function."""
