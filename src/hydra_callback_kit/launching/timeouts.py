"""What a job gets that takes too long, and one whose sweep has taken too long."""

import threading
from typing import Final, NamedTuple


class JobTimeoutError(TimeoutError):
    """A job has taken longer than `job_s` of `time_limit_callback` allows.

    It is raised within the task function, wherever that is, so that `except`, `finally` and `with` clean up. A task function
    that catches it and returns has completed.

    Attributes:
        interrupts: whether the job counts as interrupted; else it has failed.
    """

    __module__ = "hydra_callback_kit"  # the name it is imported by, in records and pickles

    def __init__(self, message: str = "", *, interrupts: bool = False) -> None:
        expected = _expected.get(threading.get_ident())
        if not message and expected is not None:
            message, interrupts = expected
        super().__init__(message)
        self.interrupts = interrupts


class SweepTimeoutError(TimeoutError):
    """A job was not started, because its sweep has taken longer than `sweep_s` of `time_limit_callback` allows."""

    __module__ = "hydra_callback_kit"


class Expected(NamedTuple):
    """What a `JobTimeoutError` says that is raised from another thread, which can name nothing but the class."""

    message: str
    interrupts: bool


def expect(thread: int, expected: Expected | None) -> None:
    """Says what a `JobTimeoutError` is to say that another thread raises in one; None: nothing is expected any more.

    Args:
        thread: the thread that it is raised in.
        expected: what it says.
    """
    if expected is None:
        _expected.pop(thread, None)
    else:
        _expected[thread] = expected


_expected: Final[dict[int, Expected]] = {}
"""By thread."""
