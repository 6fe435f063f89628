"""The jobs that run in the calling process: which one a task function means that names none."""

import os
import threading
from typing import Any

_configs: dict[tuple[int, int], Any] = {}
"""The config of each job's hooks, by the process and the thread that the job runs in."""


def job_runs(config: Any) -> None:
    """Notes that a job runs in the calling thread.

    Args:
        config: the config of its hooks.
    """
    _configs[os.getpid(), threading.get_ident()] = config


def job_is_over(config: Any) -> None:
    """Notes that a job runs no longer.

    Args:
        config: the config of its hooks.
    """
    for key in [key for key, running in _configs.items() if running is config]:
        del _configs[key]


def running_job() -> Any:
    """The config of the job that runs in the calling thread, or else of the only one that runs in the process.

    Returns:
        None where no job runs: outside of an app, in a child that the job has forked, or where several run in other threads.
    """
    pid = os.getpid()
    own = _configs.get((pid, threading.get_ident()))
    if own is not None:
        return own
    others = [config for (process, _), config in _configs.items() if process == pid]
    return others[0] if len(others) == 1 else None
