"""Which plots the data deserve: of what kind each override is, which axes are logarithmic, which pairs form a grid."""

import itertools
import math
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from hydra_callback_kit.journal.values import is_number
from hydra_callback_kit.views.report.columns import MetricColumn, OverrideColumn

MAX_CATEGORIES: Final = 40
"""Values of a category that are told apart in a plot; an override with more has none."""
MAX_GRID: Final = 40
"""Values of an override in a heat map."""
MAX_HEAT_MAPS: Final = 4

_WIDE: Final = 10
_VERY_WIDE: Final = 100
_FILLED: Final = 0.5
_FULL: Final = 2

Kind = Literal["number", "category"]


@dataclass(frozen=True, slots=True)
class OverrideAxis:
    """How an override is drawn.

    Attributes:
        kind: `number`, or `category` for texts, for numbers mixed with others, and for seeds, which have no order.
        log: whether its axis is logarithmic.
        order: of a category, the codes of its values in the order of the axis.
        plotted: whether it has plots of its own: it has few enough values, or is a number.
    """

    kind: Kind
    log: bool
    order: list[int]
    plotted: bool


def override_axis(column: OverrideColumn) -> OverrideAxis:
    """Decides how an override is drawn."""
    numbers = [value for value in column.values if is_number(value) and math.isfinite(value)]
    if len(numbers) == len(column.values) and -1 not in column.codes and not _is_seed(column.key):
        return OverrideAxis("number", asks_for_log(numbers, _WIDE), [], plotted=True)
    order = sorted(range(len(column.values)), key=lambda code: _place(column.values[code], code))
    return OverrideAxis("category", log=False, order=order, plotted=len(order) <= MAX_CATEGORIES)


def metric_is_log(column: MetricColumn) -> bool:
    """Decides whether a metric's axis is logarithmic."""
    return asks_for_log([value for value in column.values if value is not None and math.isfinite(value)], _VERY_WIDE)


def asks_for_log(values: Iterable[float], span: float) -> bool:
    """Tells whether values lie more evenly on a logarithmic axis.

    Args:
        values: finite numbers.
        span: how many times the smallest the largest has to be.

    Returns:
        True if all are positive, they span that much, and their median lies nearer to the middle of such an axis. So
        0.001, 0.01, 0.1 ask for one, and 1, 2, 3, ..., 1000 do not.
    """
    different = sorted(set(values))
    if not different or different[0] <= 0 or different[-1] < span * different[0]:
        return False
    low, middle, high = different[0], statistics.median(different), different[-1]
    linear = (middle - low) / (high - low)
    log = (math.log(middle) - math.log(low)) / (math.log(high) - math.log(low))
    return abs(log - 0.5) < abs(linear - 0.5)


def heat_maps(columns: Sequence[OverrideColumn], axes: Sequence[OverrideAxis]) -> list[tuple[int, int]]:
    """Chooses the pairs of numeric overrides that form a grid.

    Args:
        columns: the overrides.
        axes: how each is drawn.

    Returns:
        Pairs of places in `columns`, those with the most cells first: both have from 2 to `MAX_GRID` values, and most
        combinations occur.
    """
    numeric = [
        place
        for place, (column, axis) in enumerate(zip(columns, axes, strict=True))
        if axis.kind == "number" and _FULL <= len(set(column.values)) <= MAX_GRID
    ]
    cells: dict[tuple[int, int], int] = {}
    for a, b in itertools.combinations(numeric, 2):
        occurring = len(set(zip(columns[a].codes, columns[b].codes, strict=True)))
        possible = len(columns[a].texts) * len(columns[b].texts)
        if occurring >= _FILLED * possible and possible > _FULL + 1:
            cells[a, b] = possible
    return sorted(cells, key=lambda pair: -cells[pair])[:MAX_HEAT_MAPS]


def _is_seed(key: str) -> bool:
    return re.search(r"(?:^|[._/])(?:random_)?(?:seed|random_state)$", key) is not None


def _place(value: Any, code: int) -> tuple[int, float, int]:
    """Numbers in their order, then the rest as the sweep named them."""
    return (0, float(value), code) if is_number(value) and not math.isnan(value) else (1, 0.0, code)
