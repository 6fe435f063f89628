"""Which plots a run has, by the names that `run.plot` takes."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import ranking_on_record, unknown_key
from hydra_callback_kit.views.direction import Best, objectives
from hydra_callback_kit.views.metrics import metric_names, metric_of
from hydra_callback_kit.views.report import charts
from hydra_callback_kit.views.report.choice import Metric, ReportOptions, choose_metric
from hydra_callback_kit.views.report.columns import Columns, MetricColumn, columns_of

_OF_METRIC: Final = ("settings", "front", "parallel", "matters")
"""Plots that show what completed jobs come to, beside those of the metric against one override."""
_GOOD_AT: Final = 2
"""Overrides from which on lines across all of them tell more than the metric against one."""


class PlotError(ValueError):
    """There is no such plot of this run; the message says which there are."""


class Plotted:
    """What is plotted of a run.

    Args:
        run: a single run or a sweep.
        metric: the metric that was asked for; None for the one that the report would pick.
        mode: which value of it is the best; None for what can be known.
        over: the keys to average over; None for those on record.

    Attributes:
        run: the run.
        jobs: its jobs.
        metric: the metric that jobs are ranked by; None if they returned no number.
        over: the keys to average over.
    """

    def __init__(
        self, run: RunRecord, metric: str | None = None, mode: Best | None = None, over: Sequence[str] | None = None
    ) -> None:
        self.run, self.jobs = run, run.jobs
        self.asked = metric
        self.metric: Metric | None = choose_metric(run, metric_names(run.jobs), ReportOptions(metric=metric, mode=mode))
        self.over = ranking_on_record(run).average_over if over is None else tuple(over)
        unknown = unknown_key(run.jobs, self.over)
        if unknown:
            raise PlotError(unknown.replace("average_over", "over", 1))

    @cached_property
    def columns(self) -> Columns:
        """The varied overrides and the metrics of the jobs."""
        return columns_of(self.jobs, self.metric.name if self.metric else None)

    @cached_property
    def axes(self) -> list[charts.OverrideAxis]:
        """How each of the overrides is drawn."""
        return [charts.override_axis(column) for column in self.columns.overrides]

    @cached_property
    def values(self) -> list[float | None]:
        """The metric of each job that completed; None for the others, and where it is no finite number."""
        name = self.metric.name if self.metric else ""
        return [
            value if value is not None and value - value == 0 else None for value in (_of(job, name) for job in self.jobs)
        ]

    @property
    def metric_is_log(self) -> bool:
        """Whether the metric's axis is logarithmic."""
        return charts.metric_is_log(MetricColumn("", self.values))

    @cached_property
    def names(self) -> list[str]:
        """The names of the plots that there are, the most telling first."""
        known = any(value is not None for value in self.values)
        plotted = [column.key for column, axis in zip(self.columns.overrides, self.axes, strict=True) if axis.plotted]
        several = known and len(self.columns.overrides) >= _GOOD_AT
        there = {
            "settings": known and bool(self.over),
            "front": len(objectives(self.run.facts)) > 1 and known,
            "parallel": several,
            "matters": known and bool(plotted),
            "curves": any(metric.points > 1 for job in self.jobs for metric in job.metrics.values()),
            "timeline": sum(job.started_at is not None for job in self.jobs) > 1,
        }
        return [*(name for name, is_there in there.items() if is_there), *(plotted if known else [])]

    def chosen(self, name: str | None) -> str:
        """The plot that is meant.

        Args:
            name: what was asked for; None for the most telling.

        Raises:
            PlotError: if there is none.
        """
        if name is not None and name in self.names:
            return name
        if not self.names:
            raise PlotError("There is nothing to plot: no job has completed with a number, and none has reported a curve.")
        if name is None:
            return self.names[0]
        if all(value is None for value in self.values) and (name in _OF_METRIC or name in self._keys):
            of = f" of {self.metric.name}" if self.metric else ""
            has = f"has completed with a finite number{of}: {wording.status_counts(self.run)}"
            raise PlotError(f"plot({name!r}) shows a metric, and no job {has}. There are: {self._named}.")
        if name == "settings":
            raise PlotError("plot('settings') needs to know what to average over. Write for example over=['seed'].")
        hint = wording.did_you_mean(name, self.names)
        raise PlotError(f"plot({name!r}) is none of this run's.{hint} There are: {self._named}.")

    @property
    def _keys(self) -> list[str]:
        return [column.key for column in self.columns.overrides]

    @property
    def _named(self) -> str:
        return ", ".join(map(repr, self.names))


def _of(job: JobRecord, metric: str) -> float | None:
    return metric_of(job, metric) if job.status == "COMPLETED" else None
