"""A task function that keeps to a time limit: what the launcher's jobs call in place of the app's."""

import functools
import threading
from typing import Any, Final, NamedTuple

from hydra.types import TaskFunction

from hydra_callback_kit.journal.requeue import is_requeue
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.launching.deadline import Deadline
from hydra_callback_kit.launching.job_watch import JobWatch, Own, without_the_handler
from hydra_callback_kit.launching.own_frames import without_frames_of
from hydra_callback_kit.launching.timeouts import Expected, SweepTimeoutError

_log = SafeLogger("hydra_callback_kit.time_limit_callback")


class Limits(NamedTuple):
    """What a job keeps to.

    Attributes:
        job_s: how long its task function may take, in seconds; None for any time.
        grace_s: how long it may go on after it was told, in seconds.
        interrupts: whether it counts as interrupted when it is ended; else it has failed.
        deadline: when no further job of its sweep starts; None for never.
    """

    job_s: float | None
    grace_s: float
    interrupts: bool
    deadline: Deadline | None


class LimitedTask:
    """Calls a task function, within its limits. It is pickled to the processes of jobs.

    Args:
        task: the task function.
        limits: what it keeps to.
    """

    __wrapped__: TaskFunction

    def __init__(self, task: TaskFunction, limits: Limits) -> None:
        functools.update_wrapper(self, task)
        self._limits = limits

    def __call__(self, config: Any) -> Any:
        """Calls the task function.

        Raises:
            SweepTimeoutError: in its place, where the time of the sweep is over.
            JobTimeoutError: within it, where it takes too long; and in place of the `SystemExit` by which it answers that.
        """
        try:
            return self._within_its_limits(config)
        except BaseException as error:
            without_our_frames(error)
            raise

    def _within_its_limits(self, config: Any) -> Any:
        limits = self._limits
        if limits.deadline is not None and limits.deadline.is_over:
            raise SweepTimeoutError(f"This job was not started: {limits.deadline}")
        if limits.job_s is None:
            return self.__wrapped__(config)
        watch = JobWatch(
            limits.job_s,
            limits.grace_s,
            Expected(too_long(limits.job_s), limits.interrupts),
            _owns.pop(threading.get_ident(), None),
        )
        try:
            try:
                _start(watch)
                return self.__wrapped__(config)
            except SystemExit as left:
                # else it would end a sweep whose jobs run in this process, with whatever exit code
                if watch.has_told and not is_requeue(left):
                    without_our_frames(left)
                    raise watch.error().with_traceback(left.__traceback__) from left
                raise
            finally:
                watch.end()
        finally:
            watch.end()  # the exception may have come into the end


def without_our_frames(error: BaseException) -> None:
    """Has the traceback of an exception begin where the task function is, and end there: not in what told it.

    Args:
        error: what has come out of it.
    """
    without_frames_of(__file__, error)
    without_the_handler(error)


def too_long(job_s: float) -> str:
    """What is said of a job that took longer."""
    return f"the job took longer than job_s={job_s:g}"


def may_be_killed(own: Own) -> None:
    """Says that the process of the job which this thread is about to run may be killed.

    Args:
        own: what is known of the job.
    """
    _owns[threading.get_ident()] = own


_owns: Final[dict[int, Own]] = {}
"""By thread."""


def _start(watch: JobWatch) -> None:
    try:
        watch.start()
    except RuntimeError as error:  # the system gives the process no more threads
        _log.error("The time that the job takes is not limited: %s.", error)
