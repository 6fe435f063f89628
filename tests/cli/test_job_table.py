"""The table of jobs: what a running job reports has its course beside it."""

from pathlib import Path

from hydra_callback_kit.cli.job_table import job_columns
from hydra_callback_kit.journal import metric_points
from hydra_callback_kit.journal.metric_growth import growth_of
from hydra_callback_kit.journal.records import JobRecord


def reporting(root: Path, status: str = "RUNNING") -> JobRecord:
    """A job that has reported eight losses."""
    lines = [metric_points.line("a/0/0", "2026-01-01T00:00:00+00:00", step, {"loss": float(7 - step)}) for step in range(8)]
    (root / metric_points.NAME).write_bytes(metric_points.head("20260101T000000-aa") + b"".join(lines))
    more = {"metrics_file": metric_points.NAME, "reported_by": ("a/0/0",)}
    job = JobRecord(0, status, ("loss=3",), root=root, subdir=".", **more)
    growth = growth_of(job)
    assert growth is not None
    job.metrics = growth.metrics
    return job


def test_the_course_of_a_job_that_runs(tmp_path: Path) -> None:
    """Where it is watched, and as long as it runs; a metric that is called like an override says what it is."""
    job = reporting(tmp_path)
    other = JobRecord(1, "COMPLETED", ("loss=4",), return_value={"acc": 1})

    def columns(*jobs: JobRecord, curves: bool) -> dict[str, list[str]]:
        return {column.head: column.cells for column in job_columns(jobs, jobs, None, curves=curves)}

    assert columns(job, other, curves=True)["metrics.loss"] == ["█▇▆▅▄▃▂▁ 0", ""]
    assert columns(job, other, curves=False)["metrics.loss"] == ["0", ""]
    assert columns(reporting(tmp_path, "COMPLETED"), other, curves=True)["metrics.loss"] == ["0", ""]
