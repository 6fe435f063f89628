"""The points of a job's metrics on their way to a tracker that answers slowly: sent every other second, beside the job."""

import threading
from collections.abc import Callable, Mapping
from typing import Final

from hydra_callback_kit.journal.metric import Step
from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.trackers.patience import Patience

INTERVAL_S: Final = 2.0
"""How long a point waits for others."""
MAX_AT_ONCE: Final = 500
"""Points of one request."""


class PointStream:
    """Takes points as they are reported, and sends them in the background.

    Args:
        patience: how the tracker is asked.
        send: sends some points, in their order; it is told how many without a step came before. After it has raised, no more
            are sent before the job's end.

    Attributes:
        values: how many values were sent.
    """

    def __init__(self, patience: Patience, send: Callable[[list[Point], int], None]) -> None:
        self.values = 0
        self._without_step = 0
        self._patience = patience
        self._send = send
        self._waiting: list[Point] = []
        self._lock = threading.RLock()  # a signal's handler may report as well
        self._started = False
        self._is_over = threading.Event()
        self._sending = threading.Lock()

    def take(self, values: Mapping[str, float], step: Step, time: str) -> None:
        """Takes a point: the values by name, the step, and the time (UTC, ISO 8601). It is what `listen` calls."""
        with self._lock:
            self._waiting.append(Point(time, step, dict(values)))
            starts, self._started = not self._started, True
        if starts:
            self._patience.in_the_background(self._send_now_and_then)

    def end(self) -> None:
        """Sends what is left; a request by itself, which takes as long as it takes."""
        self._is_over.set()
        self._send_what_waits()

    def _send_now_and_then(self) -> None:
        while not self._is_over.wait(INTERVAL_S) and not self._patience.gave_up:
            try:
                self._send_what_waits()
            except Exception as error:  # noqa: BLE001  whatever it is, what is left is sent at the job's end
                self._patience.complain("what a job reports", error)
                return

    def _send_what_waits(self) -> None:
        with self._sending:
            while points := self._next():
                self._send(points, self._without_step)
                self._patience.was_answered()
                with self._lock:
                    del self._waiting[: len(points)]
                self._without_step += sum(point.step is None for point in points)
                self.values += sum(len(point.values) for point in points)

    def _next(self) -> list[Point]:
        with self._lock:
            return self._waiting[:MAX_AT_ONCE]
