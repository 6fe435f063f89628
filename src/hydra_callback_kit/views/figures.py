"""Numbers summed up: their mean, and how far they spread."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(slots=True)
class Figures:
    """What some numbers come to.

    Attributes:
        count: how many there are.
        mean: their mean.
        std: the standard deviation of the sample, divided by count - 1; None for a single number.
        stderr: the standard error of the mean: `std` divided by the root of `count`; None for a single number.
        median: the one in the middle; the mean of the two in the middle where there are as many below as above.
        min: the smallest.
        max: the largest.
    """

    count: int
    mean: float
    std: float | None
    stderr: float | None
    median: float
    min: float
    max: float

    def as_row(self) -> dict[str, Any]:
        """The figures by name."""
        return {name: getattr(self, name) for name in FIGURES}


FIGURES: Final = ("count", "mean", "std", "stderr", "median", "min", "max")
"""Their names, in the order of a table's columns."""


def figures(values: Sequence[float]) -> Figures:
    """Sums numbers up.

    Args:
        values: at least one number. A NaN among them makes all figures but the count NaN, so that a job that went wrong
            shows.
    """
    count, nan = len(values), math.nan
    if any(map(math.isnan, values)):
        spread = nan if count > 1 else None
        return Figures(count, nan, spread, spread, nan, nan, nan)
    in_order = sorted(values)
    if in_order[0] == in_order[-1]:  # whatever summing them up would make of it
        spread = None if count == 1 else 0.0 if math.isfinite(in_order[0]) else nan
        return Figures(count, in_order[0], spread, spread, *in_order[:1] * 3)
    mean = _sum(values) / count
    std = math.sqrt(_sum([(value - mean) * (value - mean) for value in values]) / (count - 1))
    median = _sum(in_order[(count - 1) // 2 : count // 2 + 1]) / (2 - count % 2)
    return Figures(count, mean, std, std / math.sqrt(count), median, in_order[0], in_order[-1])


def in_words(mean: float, error: float | None) -> str:
    """A mean and its error, rounded by the error: `0.981 ± 0.004`.

    Args:
        mean: the mean.
        error: its error; None where it is not known, and then six digits are shown.

    Returns:
        The error with one digit, or two where the first is a 1; the mean with as many decimals. Where the error is 0 or no
        finite number, both have six digits. One that is only the rounding of floats is shown as 0.
    """
    if error is None:
        return f"{mean:.6g}"
    if error <= _ROUNDING * abs(mean):
        error = 0.0
    if not (math.isfinite(mean) and math.isfinite(error)) or error == 0:
        return f"{mean:.6g} ± {error:.6g}"
    decimals = _decimals_of(error)
    if not -_MOST_DECIMALS <= decimals <= _MOST_DECIMALS:
        return f"{mean:.6g} ± {error:.2g}"
    return f"{_rounded(mean, decimals)} ± {_rounded(error, decimals)}"


def _decimals_of(error: float) -> int:
    """How many decimals a number has that is known up to an error; negative for tens, hundreds and so on.

    Args:
        error: a finite number above 0.
    """
    digits, _, power = f"{error:.1e}".partition("e")
    return (1 if digits.startswith("1") else 0) - int(power)


_MOST_DECIMALS: Final = 9
_ROUNDING: Final = 1e-12
"""Of a mean, what no spread is as small as."""


def _rounded(value: float, decimals: int) -> str:
    return f"{round(value, decimals) or 0.0:.{max(0, decimals)}f}"  # no -0.0


def _sum(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # beyond the largest float, or infinities of both signs
        return sum(values)
