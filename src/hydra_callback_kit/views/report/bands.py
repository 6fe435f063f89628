"""How a metric went over the seeds of a setting: their mean at each step, and how far they spread."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from hydra_callback_kit.journal.metric import Step
from hydra_callback_kit.views.figures import Figures, figures
from hydra_callback_kit.views.report.columns import compact_numbers

MAX_BANDS: Final = 12
"""Settings that have a band in each figure."""
MAX_POINTS: Final = 200
"""Places of a band."""


class Binned:
    """The course of one job in stretches of steps that are as long in all jobs: of each the mean.

    Args:
        last: the last step of any of the jobs; without steps the number of its last report.
    """

    def __init__(self, last: float) -> None:
        self._width = max(last + 1, 1) / MAX_POINTS
        self._sums: dict[int, tuple[float, float, int]] = {}
        self._seen = 0

    def add(self, step: Step, value: float) -> None:
        """Takes the next point."""
        place = self._seen if step is None else step
        self._seen += 1
        if place - place != 0:  # NaN or infinite: it lies nowhere
            return
        places, values, count = self._sums.get(stretch := int(place // self._width), (0.0, 0.0, 0))
        self._sums[stretch] = places + place, values + value, count + 1

    def means(self) -> dict[int, tuple[float, float]]:
        """Of each stretch with points the mean of their steps and of their values."""
        return {stretch: (places / count, values / count) for stretch, (places, values, count) in self._sums.items()}


def band(samples: Sequence[Sequence[Binned]]) -> dict[str, Any]:
    """What the seeds of a setting come to together.

    Args:
        samples: the courses of each seed, those of one that was given twice together: they count once, with their mean. One
            seed at least, and of each one course at least.

    Returns:
        `x`, `mean`, `error` (the standard error; 0 where there is one seed only) and `count`: how many of the seeds have
        values there.
    """
    found: dict[int, list[tuple[float, float]]] = {}
    for courses in samples:
        for stretch, means in _by_stretch(course.means() for course in courses).items():
            found.setdefault(stretch, []).append((_figures(means, 0).mean, _figures(means, 1).mean))
    known = [(_figures(found[each], 0), _figures(found[each], 1)) for each in sorted(found)]
    return {
        "x": compact_numbers(x.mean for x, _ in known),
        "mean": compact_numbers(float(f"{y.mean:.5g}") for _, y in known),
        "error": compact_numbers(float(f"{y.stderr or 0:.3g}") for _, y in known),
        "count": [y.count for _, y in known],
    }


def _by_stretch(courses: Iterable[dict[int, tuple[float, float]]]) -> dict[int, list[tuple[float, float]]]:
    found: dict[int, list[tuple[float, float]]] = {}
    for course in courses:
        for stretch, mean in course.items():
            found.setdefault(stretch, []).append(mean)
    return found


def _figures(points: Sequence[tuple[float, float]], axis: int) -> Figures:
    return figures([point[axis] for point in points])
