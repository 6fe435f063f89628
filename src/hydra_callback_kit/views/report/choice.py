"""What the report is asked to show, and the metric that it picks where none is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import is_number
from hydra_callback_kit.views.asked_ranking import AskedRanking, ranking_on_record
from hydra_callback_kit.views.direction import Best, direction_of, objectives
from hydra_callback_kit.views.metrics import metric_of
from hydra_callback_kit.views.setting_ranking import RankBy

PlotlyJs = Literal["inline", "directory"]


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What the report is asked to show.

    Attributes:
        metric: the metric that jobs are ranked by; None for the one on record, else the first that the jobs differ in.
        mode: whether the largest or the smallest is the best; None for the one on record, else what `direction_of` tells.
        title: the page's title; None for the app's name.
        plotly_js: whether plotly's JavaScript is part of the file, or a file of its own beside it.
        max_table_rows: how many jobs are spelled out on the page.
        average_over: the keys of overrides that settings are averaged over; None for those on record.
        rank_by: by what settings are ranked; None for the one on record.
    """

    metric: str | None = None
    mode: Best | None = None
    title: str | None = None
    plotly_js: PlotlyJs = "inline"
    max_table_rows: int = 10_000
    average_over: tuple[str, ...] | None = None
    rank_by: RankBy | None = None


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


def choose_metric(run: RunRecord, names: Sequence[str], options: ReportOptions) -> Metric | None:
    """Chooses the metric.

    Args:
        run: the run.
        names: the metrics that they returned.
        options: what is asked for.

    Returns:
        What was asked for; else what the record says that the sweep is ranked by; else what the sweeper optimises; else the
        first metric in which the jobs differ; None if no job returned a number, or none by the name asked for.
    """
    completed, on_record = [job for job in run.jobs if job.status == "COMPLETED"], ranking_on_record(run)
    for asked in (options.metric, on_record.metric):
        name = asked if asked is None or asked in names else asked.removeprefix("return_value.")
        if name is not None and name in names:
            known = on_record.mode if asked == on_record.metric else None
            return Metric(name, direction_of(run.facts, name, options.mode or known))
        if options.metric is not None:
            return None
    if not names:
        return None
    for name, mode in objectives(run.facts)[:1]:
        if name is not None and name in names:
            return Metric(name, options.mode or mode)

    def differs(name: str) -> bool:
        return len({value for job in completed if is_number(value := metric_of(job, name))}) > 1

    varying = next((name for name in names if differs(name)), None)
    name = varying or names[0]
    picked = "the first metric" if varying is None else "the first metric that varies"
    return Metric(name, direction_of(run.facts, name, options.mode), picked if len(names) > 1 else "")


def ranking_of(run: RunRecord, options: ReportOptions, metric: Metric) -> AskedRanking:
    """How jobs and settings are ranked on the page: as it was asked for, else as on record.

    Args:
        run: the run.
        options: what is asked for.
        metric: the metric that was chosen.
    """
    known = ranking_on_record(run)
    over = known.average_over if options.average_over is None else options.average_over
    return AskedRanking(metric.name, metric.mode, over, options.rank_by or known.rank_by)
