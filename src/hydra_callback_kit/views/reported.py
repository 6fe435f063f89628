"""The metrics that jobs reported while they ran, beside what they returned."""

from collections.abc import Iterable, Mapping
from typing import Any

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.flat import flat_return_value


def reported(job: JobRecord) -> dict[str, float]:
    """The last value of each metric that a job reported, but for those that it returned."""
    if not job.metrics:
        return {}
    returned = flat_return_value(job.return_value)
    return {name: metric.last for name, metric in job.metrics.items() if _column(name) not in returned}


def reported_names(jobs: Iterable[JobRecord]) -> list[str]:
    """The metrics that have a column of their own: one of the jobs reported them, and returned nothing by that name."""
    return list(dict.fromkeys(name for job in jobs if job.metrics for name in reported(job)))


def cells_of(job: JobRecord, names: Iterable[str]) -> list[Any]:
    """What a job has in these columns: what it returned by that name counts before what it reported.

    Args:
        job: the job.
        names: as from `reported_names`.
    """
    returned: Mapping[str, Any] = flat_return_value(job.return_value) if job.return_value is not None else {}
    return [
        returned[_column(name)] if _column(name) in returned else job.metrics[name].last if name in job.metrics else None
        for name in names
    ]


def _column(name: str) -> str:
    return f"return_value.{name}"
