"""The metrics of a job that has no summary of them on record: it runs, or was killed. Each look reads only what is new."""

import contextlib
from collections.abc import Collection
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.format import MAX_LINE
from hydra_callback_kit.journal.metric import Metric
from hydra_callback_kit.journal.metric_points import Point, add, file_of, merged, parsed, read
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.regular_file import open_regular

MOST: Final = 64
"""Values of a curve, at most; it has at least half as many once so many were reported."""


class Curve:
    """The course of a metric in a few values: each is the mean of as many as the others."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self._each = 1
        self._sum = 0.0
        self._left = 1

    def add(self, value: float) -> None:
        """Takes the next value."""
        self._sum += value
        self._left -= 1
        if self._left:
            return
        self.values.append(self._sum / self._each)
        if len(self.values) == MOST:
            self.values = [(a + b) / 2 for a, b in zip(self.values[::2], self.values[1::2], strict=True)]
            self._each *= 2
        self._sum, self._left = 0.0, self._each


class Growth:
    """What a file of points says of a job so far.

    Args:
        path: the file.
        attempts: those whose points are the job's.

    Attributes:
        metrics: by name.
        curves: the same.
    """

    def __init__(self, path: Path, attempts: Collection[str]) -> None:
        self._path = path
        self._attempts = attempts
        self._begin()

    def _begin(self) -> None:
        self._read = 0
        self._head = b""
        self._attempt = ""
        self._earlier: set[str] = set()
        """Metrics that only earlier attempts have reported, so far."""
        self.metrics: dict[str, Metric] = {}
        self.curves: dict[str, Curve] = {}

    def look(self) -> None:
        """Takes in what has been written since."""
        with contextlib.suppress(OSError), open_regular(self._path) as file:
            if not (head := file.readline(MAX_LINE)).startswith(self._head) or file.seek(0, 2) < self._read:
                self._begin()  # it is another one
            self._head = head
            file.seek(self._read)
            for attempt, point in parsed(iter(lambda: self._whole(file.readline(MAX_LINE)), b"")):
                if attempt not in self._attempts:
                    continue
                if attempt != self._attempt:
                    self._earlier = set(self.metrics)
                    self._attempt = attempt
                if self._earlier.isdisjoint(point.values):
                    self._take(point)
                else:
                    self._earlier.difference_update(point.values)
                    self._take_all(file.tell())

    def _whole(self, line: bytes) -> bytes:
        """A line that has its end; what has none yet is read the next time."""
        if not line.endswith(b"\n"):
            return b""
        self._read += len(line)
        return line

    def _take(self, point: Point) -> None:
        add(self.metrics, point.step, point.values)
        for name, value in point.values.items():
            self.curves.setdefault(name, Curve()).add(value)

    def _take_all(self, end: int) -> None:
        """Begins again with what counts now: a later attempt goes on with a metric."""
        self.metrics, self.curves = {}, {}
        own = ((attempt, point) for attempt, point in read(self._path, end) if attempt in self._attempts)
        for point in merged(own):
            self._take(point)


_of: Final[dict[tuple[Path, tuple[str, ...]], Growth]] = {}


def growth_of(job: JobRecord) -> Growth | None:
    """What the metrics of a job are by now; None if it has reported none, or its directory cannot be read from here."""
    path = file_of(job)
    if path is None:
        return None
    growth = _of.setdefault((path, job.reported_by), Growth(path, job.reported_by))
    growth.look()
    return growth
