"""How the metrics that jobs reported went: a line for each job, thinned without losing a peak; a band for a setting."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.metric import Metric, Step
from hydra_callback_kit.journal.metric_points import points_of
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.report.bands import MAX_BANDS, Binned, band
from hydra_callback_kit.views.report.charts import asks_for_log
from hydra_callback_kit.views.report.columns import compact_numbers

MAX_METRICS: Final = 12
"""Metrics that have a figure."""
MAX_LINES: Final = 100
"""Jobs that have a line in each figure."""
MAX_POINTS: Final = 30_000
"""Points of all lines of the page."""
MAX_POINTS_OF_LINE: Final = 1_000
_LEAST_POINTS: Final = 20
_WIDE: Final = 100
_LEAST: Final = 1e-200
"""Smaller values are drawn as 0: plotly cannot lay an axis out for them."""


class Courses(NamedTuple):
    """The lines.

    Attributes:
        metrics: for each metric its `name`, whether its axis is logarithmic (`log`), whether `steps` were given, and its
            `lines`: the place of the job among those that are spelled out (`row`), `x` and `y`; without an `x` the points
            are numbered from 0. Where settings are shown, its `bands`: see `bands.band`, with the `name` of the setting, and
            the place of its first job among those that are spelled out (`row`).
        jobs: how many jobs have lines.
        of_jobs: how many have reported some.
        left_out: the metrics that there is no room for.
        settings: how many settings have bands.
    """

    metrics: list[dict[str, Any]]
    jobs: int
    of_jobs: int
    left_out: list[str]
    settings: int = 0


def courses_of(
    shown: Sequence[JobRecord], first: str | None = None, settings: Sequence[tuple[str, Mapping[int, str]]] = ()
) -> Courses | None:
    """Reads the points of the jobs.

    Args:
        shown: the jobs that are spelled out on the page.
        first: the metric whose figure comes before the others.
        settings: the settings, the best first: what they are called, and the seed of each of their jobs by its place among
            those that are shown. The lines are those of the best settings then.

    Returns:
        None if no job has reported a metric more than once, or their directories cannot be read from here.
    """
    names: dict[str, None] = {}
    reporting = []
    for row, job in enumerate(shown):
        own = [name for name, metric in job.metrics.items() if metric.points > 1]
        names.update(dict.fromkeys(own))
        if own:
            reporting.append(row)
    ordered = sorted(names, key=lambda name: name != first)
    drawn, left_out = ordered[:MAX_METRICS], ordered[MAX_METRICS:]
    banded = _banded(settings, {row for row in reporting if shown[row].status == "COMPLETED"})
    some = sorted({row for _, rows in banded for row in rows}) or _spread(reporting)
    most = max(_LEAST_POINTS, min(MAX_POINTS_OF_LINE, MAX_POINTS // max(1, len(some) * len(drawn))))
    lines: dict[str, list[dict[str, Any]]] = {name: [] for name in drawn}
    last = {name: max(_last(shown[row].metrics.get(name)) for row in some) for name in drawn}
    binned: dict[str, dict[int, Binned]] = {name: {} for name in drawn}
    for row in some:
        job = shown[row]
        own = [name for name in drawn if name in job.metrics]
        thinned = {name: Thinned(job.metrics[name].points, most) for name in own}
        takers: dict[str, list[Thinned | Binned]] = {name: [thinned[name]] for name in own}
        for name in own if banded else ():
            binned[name][row] = Binned(last[name])
            takers[name].append(binned[name][row])
        _read(job, takers)
        for name, line in thinned.items():
            if line.points():
                lines[name].append({"row": row, **_as_data(line.points())})
    metrics = [{**_figure(name, lines[name]), "bands": _bands(banded, binned[name])} for name in drawn if lines[name]]
    return Courses(metrics, len(some), len(reporting), left_out, len(banded)) if metrics else None


def _spread(rows: list[int]) -> list[int]:
    return rows if len(rows) <= MAX_LINES else [rows[len(rows) * i // MAX_LINES] for i in range(MAX_LINES)]


def _banded(settings: Sequence[tuple[str, Mapping[int, str]]], completed: set[int]) -> list[tuple[str, dict[int, str]]]:
    """The best settings that have reported something, with as many of their completed jobs as there is room for."""
    found: list[tuple[str, dict[int, str]]] = []
    room = MAX_LINES
    for name, seeds in settings:
        own = {row: seeds[row] for row in [row for row in seeds if row in completed][:room]}
        if own and len(found) < MAX_BANDS:
            found.append((name, own))
            room -= len(own)
    return found


def _bands(banded: Sequence[tuple[str, Mapping[int, str]]], binned: Mapping[int, Binned]) -> list[dict[str, Any]]:
    bands = []
    for name, seeds in banded:
        samples: dict[str, list[Binned]] = {}
        rows = [row for row in seeds if row in binned]
        for row in rows:
            samples.setdefault(seeds[row], []).append(binned[row])
        if rows:
            bands.append({"name": name, "row": rows[0], **band(list(samples.values()))})
    return bands


def _last(metric: Metric | None) -> float:
    if metric is None:
        return 0.0
    last = metric.points - 1 if metric.step is None else metric.step
    return last if math.isfinite(last) else 0.0


class Thinned:
    """A line with so many points at most: of each stretch the lowest and the highest, in their order.

    Args:
        count: how many points there are going to be.
        most: how many are kept, at most, but for the last one and those that are more than was said.
    """

    def __init__(self, count: int, most: int) -> None:
        self._each = max(1, -(-count // max(1, most // 2))) if count > most else 1
        self._points: list[tuple[Step, int, float]] = []
        self._stretch: list[tuple[Step, int, float]] = []
        self._seen = 0

    def add(self, step: Step, value: float) -> None:
        """Takes the next point."""
        self._stretch.append((step, self._seen, value))
        self._seen += 1
        if len(self._stretch) == self._each:
            self._points += _extremes(self._stretch)
            self._stretch = []

    def points(self) -> list[tuple[Step, int, float]]:
        """What is kept: the step, the place in the order of the reports, and the value."""
        return [*self._points, *_extremes(self._stretch)]


def _read(job: JobRecord, takers: Mapping[str, Sequence[Thinned | Binned]]) -> None:
    """Hands the points of a job to whoever takes those of a metric."""
    for _, step, values in points_of(job):
        for name, value in values.items():
            for taker in takers.get(name, ()):
                taker.add(step, value)


def _extremes(stretch: list[tuple[Step, int, float]]) -> list[tuple[Step, int, float]]:
    known = [point for point in stretch if point[2] == point[2]]
    if len(known) < 2:  # noqa: PLR2004  there are two extremes
        return known or stretch[:1]
    low, high = min(known, key=lambda point: point[2]), max(known, key=lambda point: point[2])
    return sorted({low, high}, key=lambda point: point[1])


def _as_data(points: list[tuple[Step, int, float]]) -> dict[str, Any]:
    steps = [step for step, _, _ in points]
    has_steps = None not in steps
    x = steps if has_steps else [place for _, place, _ in points]
    return {
        "x": None if x == list(range(len(x))) else compact_numbers(x),
        "y": compact_numbers(0 if abs(value) < _LEAST else float(f"{value:.5g}") for _, _, value in points),
        "steps": has_steps,
    }


def _figure(name: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    finite = [value for line in lines for value in line["y"] if isinstance(value, (int, float))]
    steps = any(line.pop("steps") for line in lines)
    return {"name": name, "log": asks_for_log(finite, _WIDE), "steps": steps, "lines": lines}
