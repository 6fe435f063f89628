"""A task function that is profiled: what the launcher's jobs call in place of the app's."""

import functools
import threading
from typing import Any, ClassVar, Final, Protocol

from hydra.types import TaskFunction

from hydra_callback_kit.launching.own_frames import without_frames_of
from hydra_callback_kit.launching.policy import Policy


class Expected(Protocol):
    """What is to be done about a call of the task function. None of it raises."""

    def starts(self) -> None:
        """Called before it, in its thread."""

    def ends(self) -> None:
        """Called after it, in its thread, whatever it has raised."""

    def leaves(self) -> None:
        """Called then, if it has raised what ends the process, so that no hook may be called any more."""


def expect(call: Expected | None) -> None:
    """Says what is to be done about the next call of a task function in this thread; None for nothing."""
    _expected.pop(threading.get_ident(), None)
    if call is not None:
        _expected[threading.get_ident()] = call


class ProfiledTask:
    """Calls a task function, and has it profiled if that is expected. It is pickled to the processes of jobs.

    Args:
        task: the task function.
    """

    __wrapped__: TaskFunction

    def __init__(self, task: TaskFunction) -> None:
        functools.update_wrapper(self, task)

    def __call__(self, config: Any) -> Any:
        """Calls the task function."""
        call = _expected.pop(threading.get_ident(), None)
        try:
            if call is None:
                return self.__wrapped__(config)
            call.starts()
            try:
                return self.__wrapped__(config)
            finally:
                call.ends()
        except BaseException as error:
            without_frames_of(__file__, error)
            if call is not None and not isinstance(error, Exception):
                call.leaves()
            raise


class Profiles(Policy):
    """Has the jobs of a sweep call such a task function; outside of what limits their time."""

    place: ClassVar[int] = 60

    def task_of_jobs(self, task_function: TaskFunction) -> TaskFunction:
        """The task function that can be profiled."""
        return ProfiledTask(task_function)


_expected: Final[dict[int, Expected]] = {}
"""By thread."""
