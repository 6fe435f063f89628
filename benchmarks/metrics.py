"""What `report_metrics` costs a job, and what the curves of a sweep cost its report."""

import json
import math
import sys
from pathlib import Path

import report as page
from harness import Line, run, table, temporary_directory, write_app

from hydra_callback_kit.journal import metric_points
from hydra_callback_kit.journal.metric_points import Point, metrics_of
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.report.choice import ReportOptions
from hydra_callback_kit.views.report.page import write_report

CALLS = 10_000
JOBS = 100
STEPS = 10_000
REPORTS = f"""
import json, time
from hydra_callback_kit import report_metrics
def reports():
    started = time.perf_counter()
    for step in range({CALLS}):
        report_metrics({{"val/loss": 1 / (step + 1), "val/accuracy": step / {CALLS}}}, lr=0.1, step=step)
    return (time.perf_counter() - started) / {CALLS} * 1e6
"""
"""An app's preamble: the microseconds that a call takes."""


def lines(repetitions: int = 5, steps: int = STEPS) -> list[Line]:
    """Measures; it takes two minutes, most of them for writing a million points.

    Args:
        repetitions: how many apps report.
        steps: how many points each job of the sweep has whose report is written.
    """
    with temporary_directory() as name:
        directory = Path(name)
        write_app(directory, 'open("took.json", "w").write(json.dumps(reports()))', preamble=REPORTS)
        on, off = (_took(directory, repetitions, chosen) for chosen in (["+callbacks=[logging_callback]"], []))
        without, curves, opening = _reports(directory, steps)
    what = f"curves of {JOBS} jobs of {steps:,} steps"
    return [
        Line.of(f"report_metrics with three values, each of {CALLS:,} calls", on, 30, "µs"),
        Line.of("the same where no callback is on", off, None, "µs"),
        Line.of(f"{what}: the report is larger by", [(curves - without) / 1e6], 3, "MB"),
        Line.of(f"{what}: opened in chromium, until all plots are drawn", opening, 3, "s"),
    ]


def _took(directory: Path, repetitions: int, chosen: list[str]) -> list[float]:
    took = []
    for _ in range(repetitions):
        run([sys.executable, "app.py", *chosen], directory)
        took.append(json.loads((directory / "took.json").read_text("ascii")))
    return took


def _reports(directory: Path, steps: int) -> tuple[int, int, list[float]]:
    """The sizes of the reports of jobs without and with what they reported, and how long the second takes to open."""
    jobs = []
    for num in range(JOBS):
        points = [Point("", step, {"val/loss": math.exp(-step * (num + 1) / steps)}) for step in range(steps)]
        (directory / str(num)).mkdir()
        text = b"".join(metric_points.line("a/0/0", *point) for point in points)
        (directory / str(num) / metric_points.NAME).write_bytes(metric_points.head(page.RUN_ID) + text)
        more = {"metrics": metrics_of(points), "metrics_file": metric_points.NAME, "reported_by": ("a/0/0",)}
        jobs.append(JobRecord(num, "COMPLETED", (f"lr={num}",), root=directory, subdir=str(num), **more))
    sizes = []
    for name, reports in (("without", False), ("curves", True)):
        for job in jobs:
            job.metrics_file = metric_points.NAME if reports else None
        write_report(
            directory / f"{name}.html",
            RunRecord(page.RUN_ID, directory, "MULTIRUN", "COMPLETED", tuple(jobs)),
            ReportOptions(),
        )
        sizes.append((directory / f"{name}.html").stat().st_size)
    return sizes[0], sizes[1], [drawn for *_, drawn in page.opening_s(directory / "curves.html")]


if __name__ == "__main__":
    print(table(lines()))
