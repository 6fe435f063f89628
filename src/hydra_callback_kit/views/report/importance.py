"""How much of a metric each override explains that no other does, also where the sweep did not try all combinations.

The metric is fitted by least squares: a number for each value of each override, all added up. An override explains what that
fit loses without it. What two overrides explain both, since they changed together, is credited to neither.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from hydra_callback_kit.views.report.charts import OverrideAxis
from hydra_callback_kit.views.report.columns import MetricColumn, OverrideColumn

MAX_LEVELS: Final = 150
"""Values of all overrides that are told apart; the fit takes the third power of it."""
MAX_BINS: Final = 12
"""Stretches that a number with many values is cut into."""
TOGETHER: Final = -1.0
"""Stands for the share of an override that changed together with others, always: it cannot be told from them."""
_SMALL: Final = 1e-9
"""Of what a number was, what is nothing but rounding."""

_Rows = dict[int, list[float]]
_Group = tuple[int, range]
"""The place of an override, and its columns."""


def shares(
    overrides: Sequence[OverrideColumn], axes: Sequence[OverrideAxis], metrics: Sequence[MetricColumn]
) -> list[list[float | None]]:
    """The share of each metric's variance that each override explains, and no other.

    Args:
        overrides: the overrides.
        axes: how each is drawn; what has no plot is no part of the fit.
        metrics: the metrics.

    Returns:
        For each metric a share from 0 to 1 for each override, less what chance would explain; None for those that are not
        known: there are too few jobs, or too many values; `TOGETHER` for one that cannot be told from others.
    """
    found: list[list[float | None]] = [[None] * len(overrides) for _ in metrics]
    alike: dict[bytes, list[int]] = {}
    for place, metric in enumerate(metrics):
        alike.setdefault(bytes(value is not None and value - value == 0 for value in metric.values), []).append(place)
    for mask, places in alike.items():
        rows = [row for row, known in enumerate(mask) if known]
        values = [_standardised([metrics[place].values[row] or 0.0 for row in rows]) for place in places]
        varying = [(place, value) for place, value in zip(places, values, strict=True) if value is not None]
        levels = _levels_of(overrides, axes, rows)
        if varying and levels:
            for (place, _), of_each in zip(varying, _fitted(levels, [value for _, value in varying]), strict=True):
                for override, share in of_each.items():
                    found[place][override] = share
    return found


def _standardised(values: list[float]) -> list[float] | None:
    """With the mean 0 and the sum of squares 1; None where they are all the same."""
    largest = max(map(abs, values), default=0.0)
    if largest == 0 or len(set(values)) == 1:
        return None
    scaled = [value / largest for value in values]
    mean = math.fsum(scaled) / len(scaled)
    size = math.sqrt(math.fsum((value - mean) ** 2 for value in scaled))
    return [(value - mean) / size for value in scaled] if size > _SMALL else None


def _levels_of(overrides: Sequence[OverrideColumn], axes: Sequence[OverrideAxis], rows: list[int]) -> dict[int, list[int]]:
    """Which value of each override that varies each job has; none where there is no room for all of them in one fit."""
    plotted = [place for place, axis in enumerate(axes) if axis.plotted]
    bins = max(2, min(MAX_BINS, min(MAX_LEVELS, len(rows) // 2) // max(1, len(plotted))))
    found = {place: _levels(overrides[place], axes[place], rows, bins) for place in plotted}
    varying = {place: levels for place, levels in found.items() if len(set(levels)) > 1}
    return varying if sum(len(set(levels)) for levels in varying.values()) <= MAX_LEVELS else {}


def _levels(column: OverrideColumn, axis: OverrideAxis, rows: list[int], bins: int) -> list[int]:
    if axis.kind == "category":
        return [column.codes[row] for row in rows]
    values = [float(column.values[column.codes[row]]) for row in rows]
    in_order = sorted(values)
    different = sorted(set(values))
    if len(different) <= bins:
        named = {value: level for level, value in enumerate(different)}
    else:  # as many jobs in each; equal values stay together
        named = {value: place * bins // len(in_order) for place, value in enumerate(in_order)}
    return [named[value] for value in values]


def _fitted(levels: Mapping[int, list[int]], metrics: Sequence[list[float]]) -> list[dict[int, float]]:
    """The shares by override, for each of the metrics; none where the fit has as many numbers as there are jobs."""
    rows, groups, ends = _normal_equations(levels, metrics)
    scale = {column: row[column] for column, row in rows.items()}
    rank = _eliminate(rows, [0], scale)  # the mean
    whole, jobs = dict(rows), len(metrics[0])
    full_rank = rank + sum(_eliminate(whole, columns, scale) for _, columns in groups)
    if full_rank >= jobs:
        return [{} for _ in metrics]
    without: dict[int, tuple[int, _Rows]] = {}
    _leave_each_out(rows, groups, rank, scale, without)
    found: list[dict[int, float]] = []
    for end in ends:
        left = max(0.0, whole[end][end])
        of_each = {}
        for override, (its_rank, its_rows) in without.items():
            freedom = full_rank - its_rank
            by_chance = freedom * left / (jobs - full_rank)
            of_each[override] = max(0.0, its_rows[end][end] - left - by_chance) if freedom else TOGETHER
        found.append(of_each)
    return found


def _normal_equations(levels: Mapping[int, list[int]], metrics: Sequence[list[float]]) -> tuple[_Rows, list[_Group], range]:
    """The products of all columns: of the mean, of each value of each override, and of the metrics."""
    names = [{level: place for place, level in enumerate(dict.fromkeys(each))} for each in levels.values()]
    starts, groups, end = [], [], 1
    for override, named in zip(levels, names, strict=True):
        starts.append(end)
        groups.append((override, range(end, end + len(named))))
        end += len(named)
    coded = [
        [start + named[level] for level in each] for start, named, each in zip(starts, names, levels.values(), strict=True)
    ]
    size = end + len(metrics)
    rows = [[0.0] * size for _ in range(size)]
    ones = [0] * len(metrics[0])
    for place, mine in enumerate([ones, *coded]):
        for other in [ones, *coded][place:]:
            for (a, b), count in Counter(zip(mine, other, strict=True)).items():
                rows[a][b] = rows[b][a] = float(count)
        for column, values in enumerate(metrics, start=end):
            sums = [0.0] * end
            for a, value in zip(mine, values, strict=True):
                sums[a] += value
            for a in {*mine}:
                rows[a][column] = rows[column][a] = sums[a]
    for column, values in enumerate(metrics, start=end):
        rows[column][column] = math.fsum(value * value for value in values)
    return dict(enumerate(rows)), groups, range(end, size)


def _eliminate(rows: _Rows, columns: Sequence[int] | range, scale: Mapping[int, float]) -> int:
    """Takes columns into the fit: what is left in the others is what these do not explain. Returns how many were new."""
    rank = 0
    for column in columns:
        own = rows.pop(column)
        if own[column] <= _SMALL * scale[column]:
            continue  # the columns before explain it
        rank += 1
        for place, row in rows.items():
            factor = row[column] / own[column]
            if factor:
                rows[place] = [a - factor * b for a, b in zip(row, own, strict=True)]
    return rank


def _leave_each_out(
    rows: _Rows, groups: Sequence[_Group], rank: int, scale: Mapping[int, float], found: dict[int, tuple[int, _Rows]]
) -> None:
    """Fits all overrides but one, for each of them: what two of these fits share is done once."""
    if len(groups) == 1:
        found[groups[0][0]] = rank, rows
        return
    half = len(groups) // 2
    for kept, taken in ((groups[:half], groups[half:]), (groups[half:], groups[:half])):
        others = dict(rows)
        more = sum(_eliminate(others, columns, scale) for _, columns in taken)
        _leave_each_out(others, kept, rank + more, scale, found)
