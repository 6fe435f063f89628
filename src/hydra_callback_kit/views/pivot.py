"""A pivot table of a sweep: what a metric comes to for each value of some overrides against each value of others."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import as_json, as_text
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.figures import Figures
from hydra_callback_kit.views.setting_ranking import RankBy, score
from hydra_callback_kit.views.settings import Setting, settings_of


class AmbiguousError(ValueError):
    """Several settings would share a cell.

    Attributes:
        keys: the overrides in which they differ.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(", ".join(keys))
        self.keys = list(keys)


@dataclass(frozen=True, slots=True)
class Cell:
    """What the metric comes to in one setting.

    Attributes:
        figures: its figures.
        best: whether it is the best of its column.
        few: whether fewer of its jobs completed than of others.
    """

    figures: Figures
    best: bool
    few: bool


@dataclass(frozen=True, slots=True)
class Pivot:
    """The table.

    Attributes:
        metric: the metric.
        row_keys: the overrides whose values the rows are.
        column_keys: those whose values the columns are; empty where there is one column.
        rows: the head of each row, a text for each of `row_keys`.
        columns: the head of each column, the same.
        cells: row by row; None where no job has completed with the metric.
        over: how many jobs the means are over, the most of any cell.
    """

    metric: str
    row_keys: tuple[str, ...]
    column_keys: tuple[str, ...]
    rows: list[tuple[str, ...]]
    columns: list[tuple[str, ...]]
    cells: list[list[Cell | None]]
    over: int


def pivot(
    jobs: Sequence[JobRecord],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    over: Sequence[str],
    metric: str,
    mode: Best,
    rank_by: RankBy = "mean",
) -> Pivot:
    """Lays the settings of a sweep out.

    Args:
        jobs: the sweep's jobs.
        rows: the overrides whose values are the rows.
        columns: those whose values are the columns; none for a single column.
        over: those that are averaged over.
        metric: see `metric_of`.
        mode: which value is the best.
        rank_by: by what of the metric's figures the best is told.

    Raises:
        AmbiguousError: if settings of one cell differ in other overrides.
    """
    places: dict[tuple[tuple[str, ...], tuple[str, ...]], Setting] = {}
    for setting in settings_of(jobs, over):
        place = _texts(setting, rows), _texts(setting, columns)
        if place in places:
            raise AmbiguousError(_other_keys(places[place], setting, {*rows, *columns}))
        places[place] = setting
    row_heads = list(dict.fromkeys(row for row, _ in places))
    column_heads = list(dict.fromkeys(column for _, column in places))
    figures = {place: found for place, setting in places.items() if (found := setting.figures(metric)) is not None}
    most = max((each.count for each in figures.values()), default=0)
    best = {
        column: _best([each for (_, of), each in figures.items() if of == column], mode, rank_by) for column in column_heads
    }

    def cell(row: tuple[str, ...], column: tuple[str, ...]) -> Cell | None:
        known = figures.get((row, column))
        if known is None:
            return None
        value = score(known, rank_by, mode)
        return Cell(known, best=value is not None and value == best[column], few=known.count < most)

    cells = [[cell(row, column) for column in column_heads] for row in row_heads]
    return Pivot(metric, tuple(rows), tuple(columns), row_heads, column_heads, cells, most)


def _texts(setting: Setting, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(_text(setting.overrides.get(key)) for key in keys)


def _text(value: Any) -> str:
    return "" if value is None else as_text(as_json(value))


def _other_keys(one: Setting, other: Setting, known: set[str]) -> list[str]:
    keys = dict.fromkeys((*one.overrides, *other.overrides))
    return [key for key in keys if key not in known and one.overrides.get(key) != other.overrides.get(key)]


def _best(figures: Sequence[Figures], mode: Best, rank_by: RankBy) -> float | None:
    values = [value for each in figures if (value := score(each, rank_by, mode)) is not None and not math.isnan(value)]
    return (max if mode == "max" else min)(values, default=None)
