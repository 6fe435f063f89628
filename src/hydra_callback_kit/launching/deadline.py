"""When the time of a sweep is over."""

import socket
import time
from typing import Final, NamedTuple

NOTE: Final = "time_limit"
"""The note on a sweep that keeps to a time: the process that has started it, and its deadline, or None."""


class Deadline(NamedTuple):
    """When the time of a sweep is over: by the clock that nobody sets, where that is the same one, or by the machine's.

    Attributes:
        sweep_s: how long the sweep may take.
        host: where it was started.
        monotonic_s: by `time.monotonic` there.
        time_s: by `time.time`, for other machines.
    """

    sweep_s: float
    host: str
    monotonic_s: float
    time_s: float

    @classmethod
    def of(cls, sweep_s: float) -> "Deadline":
        """That of a sweep which starts now."""
        return cls(sweep_s, socket.gethostname(), time.monotonic() + sweep_s, time.time() + sweep_s)

    @property
    def is_over(self) -> bool:
        """Whether that time has come."""
        return self.is_over_in(0)

    def is_over_in(self, seconds: float) -> bool:
        """Whether that time will have come so many seconds from now."""
        if self.host == socket.gethostname():
            return time.monotonic() + seconds >= self.monotonic_s
        return time.time() + seconds >= self.time_s

    def __str__(self) -> str:
        """`the time of the sweep is over (sweep_s=60)`."""
        return f"the time of the sweep is over (sweep_s={self.sweep_s:g})"
