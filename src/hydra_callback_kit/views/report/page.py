"""The page: puts together what its parts say, and writes it as one file."""

import json
import secrets
import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, get_args

from hydra_callback_kit.record.records import JobRecord, RunRecord, Status
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.files import put_in_place, write_atomically
from hydra_callback_kit.views.ranking import metric_names
from hydra_callback_kit.views.report import charts
from hydra_callback_kit.views.report.choice import Metric, ReportOptions, choose_metric, usual_mode
from hydra_callback_kit.views.report.columns import (
    STATUS_LETTERS,
    Columns,
    columns_of,
    compact_codes,
    compact_links,
    compact_numbers,
    links,
)
from hydra_callback_kit.views.report.failures import MAX_GROUPS, MAX_JOBS, Failure, failures_of
from hydra_callback_kit.views.report.libraries import PLOTLY_FILE, plotly_javascript
from hydra_callback_kit.views.report.overview import BestJob, best_of, facts_of, notices_of, outcome_of
from hydra_callback_kit.views.report.resources import Resources, resources_of
from hydra_callback_kit.views.report.timeline import Timeline, timeline_of

SCRIPTS: Final = ("data", "table", "plots", "parallel", "matters", "timeline", "start")
"""The parts of the page's script, in their order."""
PLAIN_ROWS: Final = 50
"""Rows of the table that is shown where scripts are off."""


def write_report(path: Path, run: RunRecord, options: ReportOptions) -> None:
    """Writes the report, and plotly's JavaScript beside it if it is not to be inside.

    Args:
        path: the HTML file; missing directories are made.
        run: the run; its jobs' configs are not needed.
        options: what is asked for.

    Raises:
        OSError: if it cannot be written; what was there before is unchanged then.
        ModuleNotFoundError: if plotly or jinja2 is not installed.
    """
    plotly = plotly_javascript()
    page = report_html(run, options, path.parent, "" if options.plotly_js == "directory" else plotly.read_text("utf-8"))
    write_atomically(path, page)
    beside = path.with_name(PLOTLY_FILE)
    if options.plotly_js == "directory" and not (beside.is_file() and beside.stat().st_size == plotly.stat().st_size):
        with put_in_place(beside) as temporary:
            shutil.copyfile(plotly, temporary)


def report_html(run: RunRecord, options: ReportOptions, beside: Path, plotly: str, now: datetime | None = None) -> str:
    """Makes the page.

    Args:
        run: the run.
        options: what is asked for.
        beside: the directory that the page will lie in, to which its links are relative.
        plotly: plotly's JavaScript; empty where it lies beside the page.
        now: the time of writing; None for now.

    Returns:
        HTML that needs no network. Everything that comes from the run is escaped, and the page's own policy lets no script
        run but the page's own.
    """
    from jinja2 import Environment  # noqa: PLC0415  an extra, and slow to import
    from markupsafe import Markup  # noqa: PLC0415  the same

    now = now or datetime.now(timezone.utc).astimezone()
    names = metric_names(run.jobs)
    metric = choose_metric(run.jobs, names, options)
    best = best_of(run.jobs, metric)
    shown = spread(run.jobs, options.max_table_rows, best.job.job_num if best else None)
    addresses = links(shown, run.root, beside)
    columns = columns_of(shown)
    failures = failures_of(run)
    timeline = timeline_of(shown, run.jobs, now.timestamp())
    resources = resources_of(shown, run.jobs)
    parts = _Parts(shown, addresses, columns, metric, failures, timeline, resources)
    assets = files(__package__) / "assets"
    script = "\n".join((assets / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["duration"] = wording.duration
    template = environment.from_string((assets / "template.html.j2").read_text("utf-8"))
    return template.render(
        title=options.title or str(run.facts.get("job_name") or "app"),
        run=run,
        counts=[(status, run.count(status)) for status in get_args(Status) if run.count(status)],
        facts=facts_of(run, now),
        notices=notices_of(run, None if metric else options.metric, names),
        best=best,
        best_link=best and _link_of(best, shown, addresses),
        metric=metric,
        outcome=outcome_of(run.jobs[0]) if len(run.jobs) == 1 else None,
        outcome_link=addresses[0] if len(run.jobs) == 1 else None,
        shown=len(shown),
        parts=parts,
        plain_rows=parts.plain_rows(),
        failures=parts.failure_groups(run.root, beside),
        failed=sum(len(failure.jobs) for failure in failures),
        more_groups=max(0, len(failures) - MAX_GROUPS),
        written=f"{now:%Y-%m-%d %H:%M:%S %Z}",
        data=Markup(script_json(parts.data())),  # noqa: S704  `script_json` has escaped it
        style=Markup((assets / "style.css").read_text("utf-8")),  # noqa: S704  our own
        script=Markup(script),  # noqa: S704  our own
        plotly=Markup(plotly.replace("</script", "<\\/script")),  # noqa: S704  plotly's own
        plotly_file=PLOTLY_FILE,
        nonce=secrets.token_urlsafe(16),
    )


def script_json(value: Any) -> str:
    """JSON that can stand in a script element: it holds no `<`, `>` or `&`, and only ASCII."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def spread(jobs: Sequence[JobRecord], rows: int, best: int | None) -> list[JobRecord]:
    """Chooses the jobs that are spelled out: all, or so many spread evenly over the sweep, the best among them.

    Args:
        jobs: the jobs.
        rows: how many may be shown.
        best: the number of the best job, if there is one.
    """
    if len(jobs) <= rows:
        return list(jobs)
    step = len(jobs) / rows
    places = [int(step * place) for place in range(rows)]
    where = next((place for place, job in enumerate(jobs) if job.job_num == best), None)
    if where is not None and where not in places:
        places[min(int(where / step), rows - 1)] = where
    return [jobs[place] for place in places]


class _Parts:
    """What the parts of the page found out, for the template and for the script."""

    def __init__(
        self,
        shown: Sequence[JobRecord],
        addresses: list[str | None],
        columns: Columns,
        metric: Metric | None,
        failures: Sequence[Failure],
        timeline: Timeline | None,
        resources: Resources | None,
    ) -> None:
        self.shown = shown
        self.columns = columns
        self.timeline = timeline
        self.resources = resources
        self._addresses = addresses
        self._failures = failures
        self._axes = [charts.override_axis(column) for column in columns.overrides]
        self._metric = metric

    @property
    def plotted(self) -> bool:
        """Whether there is anything to say about what matters: overrides and a metric that vary."""
        return any(axis.plotted for axis in self._axes) and any(
            len({value for value in column.values if value is not None and value - value == 0}) > 1
            for column in self.columns.metrics
        )

    def data(self) -> dict[str, Any]:
        """What the script needs, as JSON values."""
        groups = {job.job_num: group for group, failure in enumerate(self._failures) for job in failure.jobs}
        overrides = zip(self.columns.overrides, self._axes, strict=True)
        names = [column.name for column in self.columns.metrics]
        return {
            "jobs": [job.job_num for job in self.shown],
            "status": "".join(STATUS_LETTERS[job.status] for job in self.shown),
            "took": compact_numbers(job.duration_s for job in self.shown),
            "links": compact_links(self._addresses, self.shown),
            "attempts": [job.attempts for job in self.shown] if any(job.attempts > 1 for job in self.shown) else None,
            "errors": [groups.get(job.job_num, -1) for job in self.shown] if groups else None,
            "headlines": [failure.headline[:MAX_HEADLINE] for failure in self._failures],
            "overrides": [
                {
                    "name": column.key,
                    "texts": column.texts,
                    "codes": compact_codes(column),
                    "kind": axis.kind,
                    "log": axis.log,
                    "order": axis.order,
                    "plotted": axis.plotted,
                }
                for column, axis in overrides
            ],
            "metrics": [
                {
                    "name": column.name,
                    "values": compact_numbers(column.values),
                    "log": charts.metric_is_log(column),
                    "mode": self._metric.mode
                    if self._metric and self._metric.name == column.name
                    else usual_mode(column.name),
                }
                for column in self.columns.metrics
            ],
            "metric": names.index(self._metric.name) if self._metric and self._metric.name in names else None,
            "mode": self._metric.mode if self._metric else "max",
            "heat_maps": charts.heat_maps(self.columns.overrides, self._axes),
            "timeline": self.timeline and self.timeline.as_data(),
            "peaks": {name: compact_numbers(values) for name, values in self.resources.peaks.items()}
            if self.resources
            else {},
            "curves": self.resources.curves if self.resources else [],
        }

    def plain_rows(self) -> list[list[str]]:
        """The first rows as text, for readers without scripts."""
        overrides, metrics = self.columns.overrides, self.columns.metrics
        return [
            [
                str(job.job_num),
                job.status,
                *(column.texts[column.codes[row]] if column.codes[row] >= 0 else "" for column in overrides),
                *("" if (value := column.values[row]) is None else f"{value:.6g}" for column in metrics),
                wording.duration(job.duration_s),
            ]
            for row, job in enumerate(self.shown[:PLAIN_ROWS])
        ]

    def failure_groups(self, root: Path, beside: Path) -> list[dict[str, Any]]:
        """The groups of failures with the jobs that are named, and their links."""
        return [
            {
                "failure": failure,
                "jobs": list(zip(failure.jobs[:MAX_JOBS], links(failure.jobs[:MAX_JOBS], root, beside), strict=True)),
                "more": max(0, len(failure.jobs) - MAX_JOBS),
            }
            for failure in self._failures[:MAX_GROUPS]
        ]


MAX_HEADLINE: Final = 200
"""Characters of an error in the table."""


def _link_of(best: BestJob, shown: Iterable[JobRecord], addresses: Iterable[str | None]) -> str | None:
    return next((address for job, address in zip(shown, addresses, strict=True) if job.job_num == best.job.job_num), None)
