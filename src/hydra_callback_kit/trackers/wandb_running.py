"""W&B's runs of the jobs that run in this process, also of those that started too late to be waited for."""

import os
import threading
from typing import Any, Final, NamedTuple

from hydra_callback_kit.trackers.wandb import Curves, Place


class Running(NamedTuple):
    """A job's run.

    Attributes:
        run: W&B's `Run`.
        place: where it goes.
    """

    run: Any
    place: Place


_runs: Final[dict[tuple[int, str, int], Running | None]] = {}
"""By process, run of ours, and job; None for one that has not started yet."""
_lock: Final = threading.Lock()


def expect(run_id: str, job_num: int) -> bool:
    """A job starts, whose run is to come.

    Args:
        run_id: its run of ours.
        job_num: its number.

    Returns:
        Whether it is the only job in this process.
    """
    with _lock:
        alone = not any(key[0] == os.getpid() for key in _runs)
        _runs[os.getpid(), run_id, job_num] = None
        return alone


def comes(run_id: str, job_num: int, running: Running, curves: Curves) -> None:
    """The run of a job has started. If the job is over by now, the run is ended; `sync` sends what it lacks.

    Args:
        run_id: as above.
        job_num: the same.
        running: the run.
        curves: sends what the job reports, and what it has reported until now.
    """
    key = os.getpid(), run_id, job_num
    with _lock:
        is_expected = key in _runs
        if is_expected:
            _runs[key] = running
    if is_expected:
        curves.go_to(running.run)
    else:
        running.run.finish(exit_code=1)


def ends(run_id: str, job_num: int) -> Running | None:
    """A job has ended.

    Returns:
        Its run; None if it has none.
    """
    with _lock:
        return _runs.pop((os.getpid(), run_id, job_num), None)


def left_by(run_id: str) -> list[Running]:
    """The runs of those jobs of a run of ours that have left this process without a word. They are forgotten."""
    with _lock:
        keys = [key for key in _runs if key[:2] == (os.getpid(), run_id)]
        left = [_runs.pop(key) for key in keys]
    return [running for running in left if running is not None]
