"""Paired differences: how much better one side is than the other, and how sure that is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.figures import Figures, figures
from hydra_callback_kit.views.pairs import Pair
from hydra_callback_kit.views.student import t_quantile

CONFIDENCE: Final = 0.95

Better = Literal["first", "second", "neither"]


@dataclass(frozen=True, slots=True)
class Paired:
    """What the differences of pairs come to, first minus second.

    Attributes:
        differences: that of each pair.
        figures: their mean, standard error and so on.
        interval: where the mean difference lies with 95 % confidence, by Student's t with one degree of freedom less than
            there are pairs; None for a single pair, and where a difference is no finite number.
        wins: in how many pairs the first side is better.
        ties: in how many both are equal.
        losses: in how many the second is better.
        incomparable: in how many that cannot be told: a value is NaN, or both are the same infinity.
    """

    differences: list[float]
    figures: Figures
    interval: tuple[float, float] | None
    wins: int
    ties: int
    losses: int
    incomparable: int

    def better(self, mode: Best) -> Better:
        """Which side is better, if that can be told: where the interval does not hold 0.

        Args:
            mode: which value of the metric is the best.
        """
        if self.interval is None or not (self.interval[0] > 0 or self.interval[1] < 0):
            return "neither"
        return "first" if (self.figures.mean > 0) == (mode == "max") else "second"

    def as_row(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "difference": self.figures.as_row(),
            "confidence": CONFIDENCE,
            "interval": None if self.interval is None else list(self.interval),
            "wins": self.wins,
            "ties": self.ties,
            "losses": self.losses,
            "incomparable": self.incomparable,
        }


def paired(pairs: Sequence[Pair], mode: Best) -> Paired:
    """Takes the differences of pairs.

    Args:
        pairs: one or more.
        mode: which value is the best.
    """
    differences = [difference(pair.first, pair.second) for pair in pairs]
    found = figures(differences)
    interval = None
    if found.stderr is not None and math.isfinite(found.mean) and math.isfinite(found.stderr):
        reach = found.stderr * t_quantile(CONFIDENCE, found.count - 1)
        interval = (found.mean - reach, found.mean + reach)
    above, below = sum(each > 0 for each in differences), sum(each < 0 for each in differences)
    wins, losses = (above, below) if mode == "max" else (below, above)
    ties = sum(each == 0 for each in differences)
    return Paired(differences, found, interval, wins, ties, losses, len(pairs) - wins - ties - losses)


def difference(first: float, second: float) -> float:
    """First minus second, of the numbers as they are written: 0.83 - 0.82 is 0.01."""
    if not (math.isfinite(first) and math.isfinite(second)):
        return first - second
    return float(Decimal(repr(first)) - Decimal(repr(second)))
