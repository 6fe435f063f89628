"""What the page knows of each job, column by column, as compact as JSON can be."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final
from urllib.parse import quote

from hydra_callback_kit.journal.overrides import override_key, typed_override
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import as_json
from hydra_callback_kit.views.metrics import metrics_of
from hydra_callback_kit.views.varied import shared_overrides, varied_overrides

MAX_OVERRIDES: Final = 30
"""Overrides that have a column."""
MAX_METRICS: Final = 30
"""Metrics that have a column."""
MAX_TEXT: Final = 200
"""Characters of an override's value."""

STATUS_LETTERS: Final = {"COMPLETED": "C", "FAILED": "F", "INTERRUPTED": "I", "RUNNING": "R", "PRUNED": "P"}


@dataclass(frozen=True, slots=True)
class OverrideColumn:
    """One override over all jobs.

    Attributes:
        key: its key.
        texts: its different values, as they were written.
        values: the same, typed.
        codes: for each job, the place of its value in `texts`; -1 for none.
    """

    key: str
    texts: list[str]
    values: list[Any]
    codes: list[int]


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """One metric over all jobs.

    Attributes:
        name: as `ranking.metric_of` takes it.
        values: for each job the number, NaN and infinities too, or None.
    """

    name: str
    values: list[float | None]


@dataclass(frozen=True, slots=True)
class Columns:
    """The varied overrides and the metrics of some jobs.

    Attributes:
        overrides: a column for each override that the jobs differ in.
        metrics: a column for each number that completed jobs returned, but for those that all of them returned alike.
        left_out: the names of overrides and metrics that there is no room for.
        same: what is the same in all jobs, each with its value.
        same_in_completed: what is the same in those that completed, where others did not.
    """

    overrides: list[OverrideColumn]
    metrics: list[MetricColumn]
    left_out: list[str]
    same: list[str]
    same_in_completed: list[str]


def columns_of(jobs: Sequence[JobRecord], first: str | None = None) -> Columns:
    """Turns jobs into columns.

    Args:
        jobs: the jobs that are spelled out on the page, in this order.
        first: the metric whose column comes before the others, and is there also where it is the same in all.
    """
    keys = varied_overrides(jobs)
    metrics = sorted(_metric_columns(jobs), key=lambda column: column.name != first)
    completed = [row for row, job in enumerate(jobs) if job.status == "COMPLETED"]
    same = [column for column in metrics if column.name != first and _is_same(column, completed)]
    metrics = [column for column in metrics if column not in same]
    results = [f"{column.name}={column.values[completed[0]]:.6g}" for column in same]
    return Columns(
        _override_columns(jobs, keys[:MAX_OVERRIDES]),
        metrics[:MAX_METRICS],
        [*keys[MAX_OVERRIDES:], *(column.name for column in metrics[MAX_METRICS:])],
        [*shared_overrides(jobs), *([] if len(completed) < len(jobs) else results)],
        results if len(completed) < len(jobs) else [],
    )


def only_completed(column: MetricColumn, jobs: Sequence[JobRecord]) -> MetricColumn:
    """The values of the jobs that completed: what others reported before they ended is neither ranked nor fitted.

    Args:
        column: a metric of the jobs.
        jobs: the jobs.
    """
    values = (value if job.status == "COMPLETED" else None for job, value in zip(jobs, column.values, strict=True))
    return MetricColumn(column.name, list(values))


def _is_same(column: MetricColumn, completed: Sequence[int]) -> bool:
    """Whether all jobs that completed returned the same; NaN is the same as NaN here."""
    return len(completed) > 1 and len({repr(column.values[row]) for row in completed}) == 1


def _override_columns(jobs: Sequence[JobRecord], keys: Sequence[str]) -> list[OverrideColumn]:
    columns = {key: OverrideColumn(key, [], [], [-1] * len(jobs)) for key in keys}
    codes: dict[str, tuple[list[int], int] | None] = {}
    for row, job in enumerate(jobs):
        for override in job.task_overrides:
            if override not in codes:
                codes[override] = _coded(override, columns)
            coded = codes[override]
            if coded is not None:
                coded[0][row] = coded[1]
    return list(columns.values())


def _coded(override: str, columns: Mapping[str, OverrideColumn]) -> tuple[list[int], int] | None:
    """The codes of an override's column, and the code of its value there."""
    column = columns.get(override_key(override))
    if column is None:
        return None
    text = override.partition("=")[2]
    if override.startswith("~"):
        text = "deleted"
    column.texts.append(text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…")
    column.values.append(typed_override(override)[1])
    return column.codes, len(column.texts) - 1


def _metric_columns(jobs: Sequence[JobRecord]) -> list[MetricColumn]:
    columns: dict[str, list[float | None]] = {}
    for row, job in enumerate(jobs):
        for name, value in metrics_of(job).items():
            if name not in columns:
                columns[name] = [None] * len(jobs)
            columns[name][row] = value
    return [MetricColumn(name, values) for name, values in columns.items()]


def compact_numbers(values: Iterable[float | None]) -> list[Any]:
    """Numbers with seven digits, which are more than a plot or a table shows; NaN and infinities by name."""
    return [value if value is None or type(value) is int else _compact(value) for value in values]


def _compact(value: float) -> Any:
    if value - value != 0:  # NaN or infinite
        return as_json(value)
    rounded = float(f"{value:.7g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded  # shorter by two characters


def compact_codes(column: OverrideColumn) -> list[int] | None:
    """The codes, or None where each job has a value of its own, in the jobs' order."""
    return None if column.codes == list(range(len(column.texts))) else column.codes


def links(jobs: Sequence[JobRecord], root: Path, beside: Path) -> list[str | None]:
    """The addresses of the jobs' directories.

    Args:
        jobs: the jobs.
        root: the run's directory.
        beside: the directory that the page lies in, to which the addresses are relative.
    """
    above = _address(root, beside)
    prefix = "" if above == "." else f"{above}/"
    return [
        None
        if job.subdir is None
        else _address(Path(job.subdir), beside)
        if os.path.isabs(job.subdir)  # noqa: PTH117  asked 10,000 times
        else f"{prefix}{_quoted(job.subdir)}"
        for job in jobs
    ]


def _address(directory: Path, beside: Path) -> str:
    try:
        return _quoted(PurePath(os.path.relpath(directory, beside)).as_posix())
    except ValueError:  # on another drive
        return directory.as_uri()


def _quoted(path: str) -> str:
    try:
        return quote(os.fsencode(path))
    except UnicodeEncodeError:  # a name that no file has here: the journal was written elsewhere
        return quote(path, errors="replace")


def compact_links(addresses: list[str | None], jobs: Sequence[JobRecord]) -> str | list[str | None]:
    """What stands in front of the jobs' numbers, where the addresses are made like that; else the addresses."""
    if not jobs or addresses[0] is None:
        return addresses
    prefix = addresses[0].removesuffix(str(jobs[0].job_num))
    regular = all(address == f"{prefix}{job.job_num}" for address, job in zip(addresses, jobs, strict=True))
    return prefix if regular else addresses
