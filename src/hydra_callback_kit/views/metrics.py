"""The numbers of a job: what it returned, and what was added to its record."""

from collections.abc import Sequence
from typing import Any, Final

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import is_number
from hydra_callback_kit.views.flat import MAX_SEQUENCE, flat_mapping, flat_return_value
from hydra_callback_kit.views.reported import reported
from hydra_callback_kit.views.results import free_name

_MEASURED: Final = frozenset(
    (
        *("config", "config_as_written", "hydra_config", "cpu_s", "peak_rss_bytes", "resources", "batch"),
        *("mlflow", "wandb", "tensorboard", "uploaded", "captured_output", "profile", "log_files"),
    )
)
"""Facts that callbacks of this package add to every job, and that views show in their own way."""


def added_facts(job: JobRecord) -> dict[str, Any]:
    """What callbacks of the user's and the task function have added to a job's record, a value for each name.

    Returns:
        The items of mappings are named `<name>.<key>`.
    """
    if not job.facts.keys() - _MEASURED:
        return {}
    return flat_mapping({name: fact for name, fact in job.facts.items() if name not in _MEASURED})


def metrics_of(job: JobRecord) -> dict[str, float]:
    """Every number of a job by the name that `metric_of` takes: those that it returned, reported, and that were added.

    A fact whose name is that of a number that the job returned or reported is called `facts.<name>`.
    """
    metrics: dict[str, float] = {}
    if job.return_value is not None:
        prefix = "return_value." if isinstance(job.return_value, dict) else ""
        for column, value in flat_return_value(job.return_value).items():
            if is_number(value):
                metrics[column.removeprefix(prefix)] = value
    if job.metrics:
        metrics |= reported(job)
    taken = set(metrics)
    for name, value in added_facts(job).items():
        if is_number(value):
            metrics[free_name(name, "facts", taken)] = value
    return metrics


def metric_of(job: JobRecord, metric: str) -> float | None:
    """A number of a job.

    Args:
        job: the job.
        metric: a key of the returned mapping, dotted where it is nested (`test.accuracy`); `return_value` for a bare number;
            else the name of a metric that was reported, for its last value, or that and `.min` or `.max`; else the name of
            a fact. `return_value.`, `metrics.` or `facts.` in front, as columns of the results table may have it, says where
            to look.

    Returns:
        The number, NaN and infinities too; None if there is none by that name.
    """
    found = _at(job.return_value, metric)
    if found is None:
        found = _at({"return_value": job.return_value}, metric)
    if found is None and job.metrics:
        found = _reported_at(job, metric)
        found = _reported_at(job, metric.removeprefix("metrics.")) if found is None else found
    if found is None:
        found = _at(job.facts, metric)
    return _at({"facts": job.facts}, metric) if found is None else found


def _reported_at(job: JobRecord, name: str) -> float | None:
    if name in job.metrics:
        return job.metrics[name].last
    name, _, figure = name.rpartition(".")
    return getattr(job.metrics[name], figure) if name in job.metrics and figure in ("min", "max") else None


def metric_names(jobs: Sequence[JobRecord]) -> list[str]:
    """The metrics of the completed jobs, as `metric_of` takes them, in the order they appear in."""
    return list(dict.fromkeys(name for job in jobs if job.status == "COMPLETED" for name in metrics_of(job)))


def metrics_with(jobs: Sequence[JobRecord], sort_by: str | None, known: Sequence[str] | None = None) -> list[str]:
    """The metrics that a table of jobs has columns for, the one that it is sorted by first, whatever it is called.

    Args:
        jobs: the jobs.
        sort_by: as `metric_of` takes it; None for none.
        known: the metrics, where they are known.
    """
    names = metric_names(jobs) if known is None else list(known)
    if sort_by is None:
        return names
    own = next((name for name in (sort_by, sort_by.removeprefix("return_value.")) if name in names), sort_by)
    return [own, *(name for name in names if name != own)]


def _at(value: Any, path: str) -> float | None:
    if isinstance(value, list) and len(value) <= MAX_SEQUENCE:
        value = {str(place): item for place, item in enumerate(value)}
    if not isinstance(value, dict):
        return None
    if path in value:
        found = value[path]
        return found if is_number(found) else None
    cuts = [i for i, character in enumerate(path) if character == "."]  # a key may hold a dot itself
    inside = (_at(value[path[:i]], path[i + 1 :]) for i in cuts if path[:i] in value)
    return next((found for found in inside if found is not None), None)
