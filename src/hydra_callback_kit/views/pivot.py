"""A pivot table of a sweep: what a metric comes to for each value of some overrides against each value of others."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import as_json, as_text
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.figures import Figures
from hydra_callback_kit.views.setting_ranking import RankBy, rank_by_in_words, score
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
        few: whether it rests on fewer seeds than others.
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
        over: how many seeds the means are over, the most of any cell.
        rank_by: by what the best of a column is told.
        rank_by_in_words: the same in words.
    """

    metric: str
    row_keys: tuple[str, ...]
    column_keys: tuple[str, ...]
    rows: list[tuple[str, ...]]
    columns: list[tuple[str, ...]]
    cells: list[list[Cell | None]]
    over: int
    rank_by: RankBy = "mean"
    rank_by_in_words: str = "mean"


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
    places: dict[tuple[_Values, _Values], Setting] = {}
    for setting in settings_of(jobs, over):
        place = _values(setting, rows), _values(setting, columns)
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

    def cell(row: _Values, column: _Values) -> Cell | None:
        known = figures.get((row, column))
        if known is None:
            return None
        value = score(known, rank_by, mode)
        return Cell(known, best=value is not None and value == best[column], few=known.count < most)

    cells = [[cell(row, column) for column in column_heads] for row in row_heads]
    row_texts, column_texts = _texts(row_heads, rows), _texts(column_heads, columns)
    by = rank_by_in_words(rank_by, mode)
    return Pivot(metric, tuple(rows), tuple(columns), row_texts, column_texts, cells, most, rank_by, by)


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of an override, or that there is none: two are the same by what they encode, whatever their texts are."""

    encoded: str
    text: str = field(compare=False)
    written: str = field(compare=False)


_Values = tuple[_Value, ...]


def _values(setting: Setting, keys: Sequence[str]) -> _Values:
    written = {override_key(each): each.partition("=")[2] for each in setting.task_overrides}
    return tuple(_value(setting.overrides, key, written) for key in keys)


def _value(overrides: Mapping[str, Any], key: str, written: Mapping[str, str]) -> _Value:
    if key not in overrides:
        return _Value("", "", "")
    encoded = json.dumps(as_json(overrides[key]), sort_keys=True)
    value = overrides[key]
    return _Value(encoded, value if isinstance(value, str) else as_text(as_json(value)), written.get(key, ""))


def _texts(heads: Sequence[_Values], keys: Sequence[str]) -> list[tuple[str, ...]]:
    """What the heads of rows or columns say: values, and as they were written where two would say the same."""
    texts: list[dict[_Value, str]] = []
    for place in range(len(keys)):
        known: dict[str, dict[str, _Value]] = {}
        for head in heads:
            known.setdefault(head[place].text, {}).setdefault(head[place].encoded, head[place])
        texts.append(
            {head[place]: head[place].written if len(known[head[place].text]) > 1 else head[place].text for head in heads}
        )
    return [tuple(of[value] for of, value in zip(texts, head, strict=True)) for head in heads]


def _other_keys(one: Setting, other: Setting, known: set[str]) -> list[str]:
    keys = [key for key in dict.fromkeys((*one.overrides, *other.overrides)) if key not in known]
    return [key for key, a, b in zip(keys, _values(one, keys), _values(other, keys), strict=True) if a.encoded != b.encoded]


def _best(figures: Sequence[Figures], mode: Best, rank_by: RankBy) -> float | None:
    values = [value for each in figures if (value := score(each, rank_by, mode)) is not None and not math.isnan(value)]
    return (max if mode == "max" else min)(values, default=None)
