"""How a metric went over the seeds of a setting: their mean at each step, and how far they spread."""

from collections.abc import Sequence
from typing import Any, Final

from hydra_callback_kit.journal.metric import Step
from hydra_callback_kit.views.figures import figures
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


def band(courses: Sequence[Binned]) -> dict[str, Any]:
    """What some jobs come to together.

    Args:
        courses: theirs, one at least.

    Returns:
        `x`, `mean`, `error` (the standard error; 0 where there is one job only) and `count`: how many of the jobs have
        values there.
    """
    found: dict[int, list[tuple[float, float]]] = {}
    for course in courses:
        for stretch, mean in course.means().items():
            found.setdefault(stretch, []).append(mean)
    known = [(figures([x for x, _ in found[each]]), figures([y for _, y in found[each]])) for each in sorted(found)]
    return {
        "x": compact_numbers(x.mean for x, _ in known),
        "mean": compact_numbers(float(f"{y.mean:.5g}") for _, y in known),
        "error": compact_numbers(float(f"{y.stderr or 0:.3g}") for _, y in known),
        "count": [y.count for _, y in known],
    }
