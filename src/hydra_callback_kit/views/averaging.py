"""Mean and spread over jobs that differ in nothing but a seed."""

import json
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra_callback_kit.configs.own_overrides import of_the_app
from hydra_callback_kit.journal.overrides import typed_overrides
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import as_json
from hydra_callback_kit.views.flat import flat_return_value
from hydra_callback_kit.views.metrics import added_facts
from hydra_callback_kit.views.reported import cells_of, reported_names
from hydra_callback_kit.views.results import free_name
from hydra_callback_kit.views.table_formats import Table


@dataclass
class Average:
    """The jobs of one combination of overrides.

    Attributes:
        overrides: typed values by key, without those that are averaged over.
        jobs: how many jobs there are.
        completed: how many of them completed; the metrics are over these.
        metrics: the figures of each metric by its column in the results table: see `figures`.
    """

    overrides: dict[str, Any]
    jobs: int = 0
    completed: int = 0
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)


def averages(jobs: Sequence[JobRecord], over: Collection[str]) -> list[Average]:
    """Averages every numeric metric over jobs whose other overrides are the same.

    Args:
        jobs: the jobs.
        over: the keys of the overrides to average over, such as `seed`.

    Returns:
        One for each combination of the other overrides, in the order they first appear in.
    """
    names = reported_names(jobs)
    groups: dict[str, Average] = {}
    values: dict[str, dict[str, list[float]]] = {}
    for job in jobs:
        others = {key: value for key, value in typed_overrides(of_the_app(job.task_overrides)).items() if key not in over}
        name = json.dumps(as_json(others), sort_keys=True)
        group = groups.setdefault(name, Average(others))
        group.jobs += 1
        if job.status != "COMPLETED":
            continue
        group.completed += 1
        returned = flat_return_value(job.return_value)
        returned |= dict(zip(names, cells_of(job, names), strict=True))
        facts = {f"facts.{name}" if name in returned else name: fact for name, fact in added_facts(job).items()}
        for column, value in {**returned, **facts}.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                values.setdefault(name, {}).setdefault(column, []).append(_float(value))
    for name, group in groups.items():
        group.metrics = {column: figures(numbers) for column, numbers in values.get(name, {}).items()}
    return list(groups.values())


def figures(values: Sequence[float]) -> dict[str, Any]:
    """Sums numbers up.

    Args:
        values: at least one number. A NaN among them makes all figures but the count NaN, so that a job that went wrong
            shows.

    Returns:
        `count`, `mean`, `std` (of the sample, divided by count - 1; None for a single number), `min` and `max`.
    """
    count = len(values)
    if any(map(math.isnan, values)):
        return {"count": count, "mean": math.nan, "std": math.nan if count > 1 else None, "min": math.nan, "max": math.nan}
    mean = _sum(values) / count
    std = math.sqrt(_sum([(value - mean) * (value - mean) for value in values]) / (count - 1)) if count > 1 else None
    return {"count": count, "mean": mean, "std": std, "min": min(values), "max": max(values)}


def averages_table(jobs: Sequence[JobRecord], over: Collection[str]) -> Table:
    """The averages, ready to be written in any format.

    Nested rows have `overrides`, `jobs`, `completed` and `metrics`; flat ones a column for each override, `jobs`,
    `completed`, and `<metric>.count`, `.mean`, `.std`, `.min` and `.max`.

    Args:
        jobs: the jobs.
        over: the keys of the overrides to average over.
    """
    groups = averages(jobs, over)
    keys = list(dict.fromkeys(key for group in groups for key in group.overrides))
    metrics = list(dict.fromkeys(metric for group in groups for metric in group.metrics))
    own = ["jobs", "completed", *(f"{metric}.{figure}" for metric in metrics for figure in _FIGURES)]
    taken = set(own)
    columns = [*(free_name(key, "overrides", taken) for key in keys), *own]

    def cells() -> Iterator[list[Any]]:
        for group in groups:
            known = [group.metrics.get(metric, {}) for metric in metrics]
            yield [
                *(group.overrides.get(key) for key in keys),
                group.jobs,
                group.completed,
                *(numbers.get(figure) for numbers in known for figure in _FIGURES),
            ]

    def nested() -> Iterator[dict[str, Any]]:
        for group in groups:
            yield {
                "overrides": group.overrides,
                "jobs": group.jobs,
                "completed": group.completed,
                "metrics": group.metrics,
            }

    return Table(nested=nested, columns=columns, cells=cells)


_FIGURES = ("count", "mean", "std", "min", "max")


def _sum(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # beyond the largest float, or infinities of both signs
        return sum(values)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
