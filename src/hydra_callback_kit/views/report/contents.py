"""What is on the page: the parts that the run deserves, as the template shows them and as data for the page's script."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.direction import Best, direction_of, objectives, pareto_front
from hydra_callback_kit.views.report import charts, importance
from hydra_callback_kit.views.report.choice import Metric
from hydra_callback_kit.views.report.columns import (
    STATUS_LETTERS,
    MetricColumn,
    OverrideColumn,
    columns_of,
    compact_codes,
    compact_links,
    compact_numbers,
    links,
    only_completed,
)
from hydra_callback_kit.views.report.courses import courses_of
from hydra_callback_kit.views.report.failures import MAX_GROUPS, MAX_JOBS, Failure, failures_of
from hydra_callback_kit.views.report.resources import resources_of
from hydra_callback_kit.views.report.settings_part import Settings
from hydra_callback_kit.views.report.timeline import timeline_of

PLAIN_ROWS: Final = 50
"""Rows of the table that is shown where scripts are off."""
_PLANE: Final = 2
"""Objectives that a plot has axes for."""
MAX_HEADLINE: Final = 200
"""Characters of an error in the table."""


class Contents:
    """The parts of the page.

    Args:
        run: the run.
        shown: those of its jobs that are spelled out.
        metric: what the jobs are ranked by; None if they returned no number.
        beside: the directory that the page will lie in.
        now: the time of writing.
        settings: the settings; None where jobs are ranked one by one.
        one_best: whether jobs are ranked by the metric alone: not where several objectives are sought.

    Attributes:
        columns: the varied overrides and the metrics.
        links: the addresses of the jobs' directories.
        failures: the groups of jobs that went wrong.
        timeline: None if it says nothing.
        resources: None if nothing was measured.
        courses: None if no metrics were reported.
    """

    def __init__(
        self,
        run: RunRecord,
        shown: Sequence[JobRecord],
        metric: Metric | None,
        beside: Path,
        now: datetime,
        settings: Settings | None = None,
        *,
        one_best: bool = True,
    ) -> None:
        # first, while the rest is not there: they take the most memory while they are made
        self.courses = courses_of(shown, metric.name if metric else None, settings.rows_among(shown) if settings else ())
        self.timeline = timeline_of(shown, run.jobs, now.timestamp())
        self.columns = columns_of(shown, metric.name if metric else None)
        self._axes = [charts.override_axis(column) for column in self.columns.overrides]
        self._completed = [only_completed(column, shown) for column in self.columns.metrics]
        self._shares = importance.shares(self.columns.overrides, self._axes, self._completed)
        self.links = links(shown, run.root, beside)
        self.failures = failures_of(run)
        self.resources = resources_of(shown, run.jobs)
        self._root, self._beside, self._facts = run.root, beside, run.facts
        self._shown = shown
        self._jobs = len(run.jobs)
        self._metric = metric
        self._ranked = metric is not None and one_best
        self._settings = settings

    @cached_property
    def plotted(self) -> bool:
        """Whether there is anything to say about what matters: overrides and, of what completed, a metric that vary."""
        return any(axis.plotted for axis in self._axes) and any(
            len({value for value in column.values if value is not None and value - value == 0}) > 1
            for column in self._completed
        )

    @property
    def drawn(self) -> bool:
        """Whether the page has plots; that of a job by itself says what it did without."""
        several = (self.front, self._settings, self.timeline, self.courses, self.resources)
        return self._jobs > 1 and (self.plotted or any(several))

    @cached_property
    def front(self) -> dict[str, Any] | None:
        """Of a sweep with two objectives the places of their columns, and of the jobs on the Pareto front; else None."""
        known, places = objectives(self._facts), {column.name: at for at, column in enumerate(self.columns.metrics)}
        if len(known) != _PLANE or not all(name in places for name, _ in known):
            return None
        rows = {id(job): row for row, job in enumerate(self._shown)}
        on = [rows[id(job)] for job in pareto_front(self._facts, self._shown)]
        return {"metrics": [places[name] for name, _ in known], "rows": on} if on else None

    @cached_property
    def statuses_vary(self) -> bool:
        """Whether the table has a column of them; else the summary says it all."""
        return len({wording.status_of(job) for job in self._shown}) > 1

    @property
    def shown(self) -> int:
        """How many jobs are spelled out."""
        return len(self._shown)

    def data(self) -> Iterator[tuple[str, Any]]:
        """What the script needs, as JSON values by name, each made when it is asked for."""
        peaks = self.resources.peaks if self.resources else {}
        groups = {id(job): group for group, failure in enumerate(self.failures) for job in failure.jobs}
        yield "jobs", [job.job_num for job in self._shown]
        yield "status", "".join(STATUS_LETTERS[wording.status_of(job)] for job in self._shown)
        yield "took", compact_numbers(job.duration_s for job in self._shown)
        yield "links", compact_links(self.links, self._shown)
        attempts = [job.attempts for job in self._shown]
        yield "attempts", attempts if len(set(attempts)) > 1 else None
        yield "errors", [groups.get(id(job), -1) for job in self._shown] if groups else None
        yield "headlines", [failure.headline[:MAX_HEADLINE] for failure in self.failures]
        yield "overrides", map(self._override, self.columns.overrides, self._axes)
        yield "metrics", map(self._metric_data, self.columns.metrics, self._shares)
        yield "settings", self._settings and self._settings.data()
        yield "front", self.front
        yield "ranked", self._ranked
        yield "heat_maps", charts.heat_maps(self.columns.overrides, self._axes)
        yield "timeline", self.timeline and self.timeline.as_data()
        yield "peaks", {name: compact_numbers(values) for name, values in peaks.items()}
        yield "curves", iter(self.resources.curves if self.resources else [])
        yield "courses", iter(self.courses.metrics if self.courses else [])

    def _override(self, column: OverrideColumn, axis: charts.OverrideAxis) -> dict[str, Any]:
        return {
            "name": column.key,
            "texts": column.texts,
            "codes": compact_codes(column),
            "kind": axis.kind,
            "log": axis.log,
            "order": axis.order,
            "plotted": axis.plotted,
        }

    def _metric_data(self, column: MetricColumn, shares: list[float | None]) -> dict[str, Any]:
        return {
            "name": column.name,
            "values": compact_numbers(column.values),
            "log": charts.metric_is_log(column),
            "mode": self._mode_of(column.name),
            "shares": [share and round(share, 4) for share in shares],
        }

    def plain_rows(self) -> list[list[str]]:
        """The first rows as text, for readers without scripts."""
        overrides, metrics = self.columns.overrides, self.columns.metrics
        return [
            [
                str(job.job_num),
                *([wording.status_of(job)] if self.statuses_vary else []),
                *(column.texts[column.codes[row]] if column.codes[row] >= 0 else "" for column in overrides),
                *("" if (value := column.values[row]) is None else f"{value:.6g}" for column in metrics),
                wording.duration(job.duration_s),
            ]
            for row, job in enumerate(self._shown[:PLAIN_ROWS])
        ]

    def gone(self) -> list[dict[str, Any]]:
        """Sections of the jobs that failed, and of those that were pruned: their groups, and how many more there are."""
        pruned = [failure.status == wording.PRUNED for failure in self.failures]
        failed = [failure for failure, its in zip(self.failures, pruned, strict=True) if not its]
        given_up = [failure for failure, its in zip(self.failures, pruned, strict=True) if its]
        sections = (("failures", "Failure" if self._jobs == 1 else "Failures", failed), ("pruned", "Pruned", given_up))
        return [
            {"id": name, "title": title, "groups": self._groups(of), "more": max(0, len(of) - MAX_GROUPS)}
            for name, title, of in sections
            if of
        ]

    def _groups(self, failures: Sequence[Failure]) -> list[dict[str, Any]]:
        """Groups with the jobs that are named, and their links."""
        return [
            {
                "failure": failure,
                "jobs": list(
                    zip(failure.jobs[:MAX_JOBS], links(failure.jobs[:MAX_JOBS], self._root, self._beside), strict=True)
                ),
                "more": max(0, len(failure.jobs) - MAX_JOBS),
            }
            for failure in failures[:MAX_GROUPS]
        ]

    def _mode_of(self, metric: str) -> Best:
        return self._metric.mode if self._metric and self._metric.name == metric else direction_of(self._facts, metric)
