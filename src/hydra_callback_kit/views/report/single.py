"""What the page of a single job says that did without plots and a table: timings, curves, what it used, and its log."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.metric import Metric
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.output import Output, outputs_of
from hydra_callback_kit.views.report.courses import Courses
from hydra_callback_kit.views.report.line_chart import Point, line_chart
from hydra_callback_kit.views.report.log_tail import LogTail, log_tail
from hydra_callback_kit.views.report.resources import Resources
from hydra_callback_kit.views.report.timings import timings_of

_USED: Final = {"memory_bytes": "Memory", "cpu_percent": "CPU"}
_SIZES: Final = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
_UNITS: Final = ((180.0, 1.0, "seconds"), (180.0 * 60, 60.0, "minutes"), (float("inf"), 3600.0, "hours"))


class Chart(NamedTuple):
    """A curve, ready to be shown.

    Attributes:
        title: what it shows.
        words: its figures in words.
        drawing: HTML in which everything is escaped.
    """

    title: str
    words: str
    drawing: str


class Single(NamedTuple):
    """What a job by itself did.

    Attributes:
        timings: figures by what they are called.
        reported: the last values of the metrics that were reported once, by name.
        curves: a chart for each metric that was reported more than once.
        used: a chart for each measure that was sampled.
        log: the end of its log; None if it has none.
        outputs: how what it wrote to stdout and stderr ends; empty if that was not captured.
    """

    timings: dict[str, str]
    reported: dict[str, str]
    curves: list[Chart]
    used: list[Chart]
    log: LogTail | None
    outputs: list[Output]


def single_of(run: RunRecord, courses: Courses | None, resources: Resources | None, redaction: Any = None) -> Single:
    """Gathers it.

    Args:
        run: a run of one job.
        courses: its curves.
        resources: what was measured of it.
        redaction: a `Redaction` that knows the secrets of the run; None to learn them from what Hydra has saved.
    """
    job = run.jobs[0]
    once = {name: f"{metric.last:.6g}" for name, metric in job.metrics.items() if metric.points == 1}
    curves = list(_curves(job, courses.metrics if courses else []))
    used = list(_used(resources.curves if resources else []))
    secret_keys = run.facts.get("secret_keys")
    log = log_tail(job, redaction, secret_keys)
    return Single(timings_of(run, job), once, curves, used, log, outputs_of(job, secret_keys))


def _curves(job: JobRecord, figures: Sequence[dict[str, Any]]) -> Iterator[Chart]:
    for figure in figures:
        name, line = figure["name"], figure["lines"][0]
        values = [float(value) for value in line["y"]]
        steps = range(len(values)) if line["x"] is None else line["x"]
        across = "step" if figure["steps"] else "report"
        points: list[Point] = [(float(step), value) for step, value in zip(steps, values, strict=True)]
        drawing = line_chart(points, f"{name} by {across}", across, log=figure["log"])
        if drawing:
            yield Chart(name, _figures(job.metrics[name]), drawing)


def _figures(metric: Metric) -> str:
    """`last 0.12, lowest 0.11 at 40, highest 0.9 at 0`."""
    limits = (("lowest", metric.min, metric.min_step), ("highest", metric.max, metric.max_step))
    said = [f"{word} {value:.5g}{'' if step is None else f' at {step:.6g}'}" for word, value, step in limits]
    return ", ".join([f"last {metric.last:.5g}", *said])


def _used(curves: Sequence[dict[str, Any]]) -> Iterator[Chart]:
    for curve in curves:
        longest = max(curve["elapsed_s"], default=0.0)
        per, unit = next((per, unit) for most, per, unit in _UNITS if longest < most)
        for measure, title in _USED.items():
            times = [at / per for at, value in zip(curve["elapsed_s"], curve[measure], strict=True) if value is not None]
            values = [value for value in curve[measure] if value is not None]
            if not values:
                continue
            part, name = next((one for one in _SIZES if max(values) >= one[0]), _SIZES[-1])
            part, name = (part, name) if measure == "memory_bytes" else (1, "%")
            points = [(at, value / part) for at, value in zip(times, values, strict=True)]
            most, words = f"{max(values) / part:.3g} {name} at most", f"{{:.5g}} {name}".format
            drawing = line_chart(points, f"{title} over time", f"{unit} since the job's start", words, from_zero=True)
            yield Chart(f"{title} over time", most, drawing)
