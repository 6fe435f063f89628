"""Which jobs did best by a metric; NaN, missing and failed ones come last."""

import math
from collections.abc import Sequence
from typing import Any, Literal

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import is_number
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.results import flat_return_value
from hydra_callback_kit.views.table_formats import markdown

Best = Literal["max", "min"]


def metric_of(job: JobRecord, metric: str) -> float | None:
    """A number that a job returned.

    Args:
        job: the job.
        metric: a key of the returned mapping, dotted where it is nested (`test.accuracy`); `return_value` for a bare number.
            `return_value.` in front, as the columns of the results table have it, makes no difference.

    Returns:
        The number, NaN and infinities too; None if there is none by that name.
    """
    found = _at(job.return_value, metric)
    return _at({"return_value": job.return_value}, metric) if found is None else found


def _at(value: Any, path: str) -> float | None:
    if not isinstance(value, dict):
        return None
    if path in value:
        found = value[path]
        return found if is_number(found) else None
    cuts = [i for i, character in enumerate(path) if character == "."]  # a key may hold a dot itself
    inside = (_at(value[path[:i]], path[i + 1 :]) for i in cuts if path[:i] in value)
    return next((found for found in inside if found is not None), None)


def ranked(jobs: Sequence[JobRecord], metric: str, mode: Best = "max") -> list[JobRecord]:
    """Sorts jobs by a metric.

    Args:
        jobs: the jobs.
        metric: see `metric_of`.
        mode: whether `max` or `min` is best.

    Returns:
        The best first; then completed jobs with NaN, completed jobs without the metric, and the others. Equals keep
        the order of their numbers.
    """

    def place(job: JobRecord) -> tuple[int, float, int]:
        value = metric_of(job, metric)
        if job.status != "COMPLETED":
            return 3, 0.0, job.job_num
        if value is None:
            return 2, 0.0, job.job_num
        if math.isnan(value):
            return 1, 0.0, job.job_num
        return 0, -value if mode == "max" else value, job.job_num

    return sorted(jobs, key=place)


def best_job(jobs: Sequence[JobRecord], metric: str, mode: Best = "max") -> JobRecord | None:
    """The best of the completed jobs.

    Args:
        jobs: the jobs.
        metric: see `metric_of`.
        mode: whether `max` or `min` is best.

    Returns:
        None if no completed job has a number by that name.
    """
    first = next(iter(ranked(jobs, metric, mode)), None)
    value = None if first is None else metric_of(first, metric)
    return first if first and first.status == "COMPLETED" and value is not None and not math.isnan(value) else None


def ranking_text(jobs: Sequence[JobRecord], metric: str, mode: Best = "max", top_k: int = 10) -> str:
    """The best jobs as a table for people, one a line: number, status, metric and overrides.

    Args:
        jobs: the jobs.
        metric: see `metric_of`.
        mode: whether `max` or `min` is best.
        top_k: how many jobs are shown.
    """
    rows = [
        [job.job_num, job.status, metric_of(job, metric), wording.overrides(job.task_overrides)]
        for job in ranked(jobs, metric, mode)[:top_k]
    ]
    return markdown(["job", "status", metric, "overrides"], rows)


def metric_names(jobs: Sequence[JobRecord]) -> list[str]:
    """The metrics that completed jobs returned, as `metric_of` takes them, in the order they appear in."""
    names: dict[str, None] = {}
    for job in jobs:
        if job.status == "COMPLETED":
            for column, value in flat_return_value(job.return_value).items():
                if is_number(value):
                    names[column.removeprefix("return_value.")] = None
    return list(names)
