"""What the report is asked to show, and the metric that it picks where none is asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import is_number
from hydra_callback_kit.views.metrics import metric_of
from hydra_callback_kit.views.ranking import Best

PlotlyJs = Literal["inline", "directory"]

_SMALL_IS_GOOD: Final = re.compile(
    r"(?:^|[\W_])(?:loss|losses|err|error|errors|mse|rmse|mae|mape|nll|perplexity|ppl|wer|cer|fid|brier|regret|cost)(?:$|[\W_])"
    r"|(?:loss|error)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What the report is asked to show.

    Attributes:
        metric: the metric that jobs are ranked by; None for the first that the jobs differ in.
        mode: whether the largest or the smallest is the best.
        title: the page's title; None for the app's name.
        plotly_js: whether plotly's JavaScript is part of the file, or a file of its own beside it.
        max_table_rows: how many jobs are spelled out on the page.
    """

    metric: str | None = None
    mode: Best = "max"
    title: str | None = None
    plotly_js: PlotlyJs = "inline"
    max_table_rows: int = 10_000


@dataclass(frozen=True, slots=True)
class Metric:
    """The metric that jobs are ranked by.

    Attributes:
        name: as `metric_of` takes it.
        mode: whether the largest or the smallest is the best.
        picked: why it was picked here: `the first metric that varies`, or `the first metric`; empty if it was asked for.
    """

    name: str
    mode: Best
    picked: str = ""

    @property
    def words(self) -> str:
        """`largest accuracy`."""
        return f"{'largest' if self.mode == 'max' else 'smallest'} {self.name}"


def choose_metric(jobs: Sequence[JobRecord], names: Sequence[str], options: ReportOptions) -> Metric | None:
    """Chooses the metric.

    Args:
        jobs: the jobs.
        names: the metrics that they returned.
        options: what is asked for.

    Returns:
        What was asked for; else the first metric in which the jobs differ, the smallest being the best where its name speaks
        of a loss or an error, as in `val_loss`; None if no job returned a number, or none by the name asked for.
    """
    if options.metric is not None:
        name = options.metric if options.metric in names else options.metric.removeprefix("return_value.")
        return Metric(name, options.mode) if name in names else None
    if not names:
        return None

    def differs(name: str) -> bool:
        return len({value for job in jobs if is_number(value := metric_of(job, name))}) > 1

    varying = next((name for name in names if differs(name)), None)
    name = varying or names[0]
    picked = "the first metric" if varying is None else "the first metric that varies"
    return Metric(name, "min" if usual_mode(name) == "min" else options.mode, picked if len(names) > 1 else "")


def usual_mode(metric: str) -> Best:
    """`min` if a metric's name speaks of a loss or an error, as `val_loss` does; else `max`."""
    return "min" if _SMALL_IS_GOOD.search(metric) else "max"
