"""W&B's runs of the jobs that run in this process, also of those that started too late to be waited for."""

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from hydra_callback_kit.trackers.wandb import Curves, Place


class Running(NamedTuple):
    """A job's run.

    Attributes:
        run: W&B's `Run`.
        place: where it goes.
        curves: sends what the job reports, and what it has reported until now.
    """

    run: Any
    place: Place
    curves: Curves


LastWord: TypeAlias = Callable[[Running], Any]
"""Sends what came of a job, and ends its run."""

_runs: Final[dict[tuple[int, str, int], Running | None]] = {}
"""By process, run of ours, and job; None for one that has not started yet."""
_last_words: Final[dict[tuple[int, str, int], LastWord]] = {}
"""What is to be done with those runs that start only when their jobs are over."""
_starting: Final[Counter[tuple[int, str, int]]] = Counter()
"""How many of W&B's starts are under way that are worth waiting for."""
_lock: Final = threading.Condition()


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
        _last_words.pop((os.getpid(), run_id, job_num), None)
        _runs[os.getpid(), run_id, job_num] = None
        return alone


@contextlib.contextmanager
def starting(run_id: str, job_num: int, place: Place) -> Iterator[None]:
    """W&B starts a run. If no server is asked, it comes, however long it takes where the machine has much to do.

    Args:
        run_id: as above.
        job_num: the same.
        place: where it goes.
    """
    key, count = (os.getpid(), run_id, job_num), int(not place.address)
    with _lock:
        _starting[key] += count
    try:
        yield
    finally:
        with _lock:
            _starting[key] -= count
            _lock.notify_all()


def comes(run_id: str, job_num: int, running: Running) -> None:
    """The run of a job has started. If the job is over by now, so is the run.

    Args:
        run_id: as above.
        job_num: the same.
        running: the run.
    """
    key = os.getpid(), run_id, job_num
    with _lock:
        last_word = _last_words.pop(key, None)
        if key in _runs:
            _runs[key] = running
            _lock.notify_all()
    running.curves.go_to(running.run)
    if last_word is not None:
        last_word(running)


def ends(run_id: str, job_num: int, last_word: LastWord, wait_s: float = 0.0) -> Running | None:
    """A job has ended. W&B's run would end with the process as one that is fine, if it was not said otherwise.

    Args:
        run_id: as above.
        job_num: the same.
        last_word: what is done with its run if that is still to come.
        wait_s: how long one that is starting is waited for, in seconds.

    Returns:
        Its run; None if it has none, or none yet.
    """
    key = os.getpid(), run_id, job_num
    with _lock:
        _lock.wait_for(lambda: _runs.get(key) is not None or not _starting[key], wait_s)
        is_expected = key in _runs
        running = _runs.pop(key, None)
        if is_expected and running is None:
            _last_words[key] = last_word
        return running


def left_by(run_id: str) -> list[Running]:
    """The runs of those jobs of a run of ours that have left this process without a word. They are forgotten."""
    with _lock:
        keys = [key for key in _runs if key[:2] == (os.getpid(), run_id)]
        left = [_runs.pop(key) for key in keys]
    return [running for running in left if running is not None]
