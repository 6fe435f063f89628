"""The jobs that run in the calling process: which one a task function means that names none."""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

_jobs: list[tuple[int, int, Any]] = []
"""Of each job that runs the process, the thread, and the config of its hooks; a job inside of a job comes after it."""

_in_hook = threading.local()
"""The config of the job's hook that the thread is in."""


def job_runs(config: Any) -> None:
    """Notes that a job runs in the calling thread.

    Args:
        config: the config of its hooks.
    """
    _jobs.append((os.getpid(), threading.get_ident(), config))


def job_is_over(config: Any) -> None:
    """Notes that a job runs no longer.

    Args:
        config: the config of its hooks.
    """
    _jobs[:] = [job for job in _jobs if job[2] is not config]


@contextlib.contextmanager
def in_hook(config: Any) -> Iterator[None]:
    """While it is open, the calling thread is in a hook of a job, which may have ended.

    Args:
        config: the config of the hook; None for a hook that is not a job's.
    """
    before = getattr(_in_hook, "config", None)
    _in_hook.config = config
    try:
        yield
    finally:
        _in_hook.config = before


def running_job() -> Any:
    """The config of the job that runs in the calling thread, or else of the only one that runs in the process.

    Returns:
        None where no job runs: outside of an app, in a child that the job has forked, or where several run in other threads.
    """
    hook = getattr(_in_hook, "config", None)
    if hook is not None:
        return hook
    pid, thread = os.getpid(), threading.get_ident()
    own = [config for process, other, config in _jobs if (process, other) == (pid, thread)]
    others = [config for process, _, config in _jobs if process == pid]
    return own[-1] if own else others[0] if len(others) == 1 else None
