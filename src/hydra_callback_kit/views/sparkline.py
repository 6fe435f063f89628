"""A curve in a few characters."""

import itertools
import math
from collections.abc import Sequence
from typing import Final

_BARS: Final = "▁▂▃▄▅▆▇█"
WIDTH: Final = 12
"""Characters of a sparkline, at most."""


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """Draws the course of some values.

    Args:
        values: in their order.
        width: how many characters it has, at most.

    Returns:
        A bar for each value or, where there are more, for the mean of each stretch; a space where none is finite. The
        lowest bar is the least value and the highest the largest one. Empty for fewer than two values.
    """
    if len(values) < 2:  # noqa: PLR2004  one is no course
        return ""
    count = min(width, len(values))
    bounds = [len(values) * place // count for place in range(count + 1)]
    means = [_mean(values[start:end]) for start, end in itertools.pairwise(bounds)]
    finite = [mean for mean in means if math.isfinite(mean)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(_bar(mean, low, high) for mean in means)


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(value / len(finite) for value in finite) if finite else math.nan


def _bar(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return " "
    half, least, most = value / 2, low / 2, high / 2  # what lies between them may be larger than any float
    return _BARS[round((half - least) / (most - least) * (len(_BARS) - 1))] if most > least else _BARS[0]
