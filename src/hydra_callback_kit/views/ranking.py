"""Which jobs did best by a metric; NaN, missing and failed ones come last."""

import math
from collections.abc import Sequence

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.metrics import metric_of
from hydra_callback_kit.views.table_formats import markdown
from hydra_callback_kit.views.varied import varied_overrides, varied_text


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
    """The best jobs as a table for people, one a line: number, status, metric and the overrides that vary.

    Args:
        jobs: the jobs.
        metric: see `metric_of`.
        mode: whether `max` or `min` is best.
        top_k: how many jobs are shown.
    """
    varied = varied_overrides(jobs)
    rows = [
        [job.job_num, job.status, metric_of(job, metric), varied_text(job, varied)]
        for job in ranked(jobs, metric, mode)[:top_k]
    ]
    return markdown(["job", "status", metric, "overrides"], rows, for_a_page=False)
