"""The jobs that run in the calling process: which one a task function means that names none."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple


class _Job(NamedTuple):
    """A job that runs."""

    pid: int
    thread: int
    run_id: str
    config: Any


_jobs: Final[list[_Job]] = []
"""A job inside of a job comes after it."""

_last_ended_s: Final[list[float]] = []

_in_hook = threading.local()
"""The config of the job's hook that the thread is in."""


def job_runs(config: Any, run_id: str) -> None:
    """Notes that a job runs in the calling thread; one of the same run that ran in it before does so no longer.

    Args:
        config: the config of its hooks.
        run_id: its run.
    """
    job = _Job(os.getpid(), threading.get_ident(), run_id, config)
    _jobs[:] = [other for other in _jobs if other[:3] != job[:3]]  # Ctrl-C in a notebook: no end hook came for it
    _jobs.append(job)


def job_is_over(config: Any) -> float:
    """Notes that a job runs no longer.

    Args:
        config: the config of its hooks.

    Returns:
        When that was, in seconds, by a monotonic clock.
    """
    _last_ended_s[:] = [time.monotonic()]
    _jobs[:] = [job for job in _jobs if job.config is not config]
    return _last_ended_s[0]


def last_ended_s() -> float | None:
    """When a job has last ended in this process, in seconds, by a monotonic clock; None if none has."""
    return _last_ended_s[0] if _last_ended_s else None


def run_is_over(run_id: str) -> None:
    """Notes that no job of a run runs any longer, also those for which Hydra has called no end hook.

    Args:
        run_id: the run.
    """
    _jobs[:] = [job for job in _jobs if job.run_id != run_id]


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
    own = [job.config for job in _jobs if (job.pid, job.thread) == (pid, thread)]
    others = [job.config for job in _jobs if job.pid == pid]
    return own[-1] if own else others[0] if len(others) == 1 else None
