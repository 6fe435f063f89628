"""The page: puts together what its parts say, and writes it as one file."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, get_args

from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views.asked_ranking import unknown_key
from hydra_callback_kit.views.files import put_in_place, put_where_told
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.report.choice import ReportOptions, choose_metric, ranking_of
from hydra_callback_kit.views.report.columns import links
from hydra_callback_kit.views.report.contents import Contents
from hydra_callback_kit.views.report.failures import MAX_GROUPS
from hydra_callback_kit.views.report.libraries import PLOTLY_FILE, plotly_javascript
from hydra_callback_kit.views.report.overview import best_of, facts_of, front_of, notices_of, outcome_of
from hydra_callback_kit.views.report.settings_part import Settings
from hydra_callback_kit.views.seal import is_as_sealed, sealed

SCRIPTS: Final = ("data", "table", "plots", "settings", "parallel", "matters", "courses", "timeline", "resources", "start")
"""The parts of the page's script, in their order."""
GENERATOR: Final = "hydra-callback-kit report"


def write_report(path: Path, run: RunRecord, options: ReportOptions, *, is_named: bool = False) -> dict[Path, Path]:
    """Writes the report, and plotly's JavaScript beside it if it is not to be inside.

    Args:
        path: the HTML file; missing directories are made.
        run: the run; its jobs' configs are not needed.
        options: what is asked for.
        is_named: whether a person has named the file, which is written over then.

    Returns:
        What lay in a file's place and is not as it was written here: its place, and the name under which it is kept.

    Raises:
        OSError: if it cannot be written; what was there before is unchanged then, or kept.
        ModuleNotFoundError: if plotly or jinja2 is not installed.
    """
    plotly = plotly_javascript()
    beside = options.plotly_js == "directory"
    page = report_html(run, options, path.parent, "" if beside else plotly.read_text("utf-8"))
    kept: dict[Path, Path] = {}
    with put_where_told(path) if is_named else put_in_place(path, is_as_sealed, kept.__setitem__) as temporary:
        temporary.write_bytes(sealed(page.encode("utf-8", "backslashreplace"), "<!--", "-->"))
    if beside:
        with put_in_place(path.with_name(PLOTLY_FILE), is_as_sealed, kept.__setitem__) as temporary:
            temporary.write_bytes(sealed(plotly.read_bytes(), "/*", "*/"))
    return kept


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
    metric = choose_metric(run, names, options)
    not_found = None if metric else options.metric
    metric = metric or choose_metric(run, names, replace(options, metric=None))
    best = best_of(run.jobs, metric)
    shown = spread(run.jobs, options.max_table_rows, best.job.job_num if best else None)
    asked = None if metric is None else ranking_of(run, options, metric)
    unknown_over = "" if asked is None else unknown_key(run.jobs, asked.average_over)
    settings = None
    if asked is not None and asked.average_over and not unknown_over and run.mode == "MULTIRUN":
        settings = Settings(run, asked, names, beside)
    contents = Contents(run, shown, metric, beside, now, settings)
    assets = Path(__file__).with_name("assets")
    script = "\n".join((assets / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((assets / "template.html.j2").read_text("utf-8"))
    return template.render(
        title=options.title or as_text(run.facts.get("job_name") or "app"),
        run=run,
        counts=[(status, run.count(status)) for status in get_args(Status) if run.count(status)],
        facts=facts_of(run, now),
        notices=[*notices_of(run, not_found, names), *([unknown_over] if unknown_over else [])],
        best=best,
        best_link=best and links([best.job], run.root, beside)[0],
        metric=metric,
        front=front_of(run, beside),
        outcome=outcome_of(run.jobs[0]) if len(run.jobs) == 1 else None,
        outcome_link=contents.links[0] if len(run.jobs) == 1 else None,
        shown=len(shown),
        contents=contents,
        settings=settings,
        plain_rows=contents.plain_rows(),
        failures=contents.failure_groups(),
        more_groups=max(0, len(contents.failures) - MAX_GROUPS),
        written=f"{now:%Y-%m-%d %H:%M:%S %Z}",
        data=Markup(script_json(contents.data())),  # noqa: S704  `script_json` has escaped it
        style=Markup((assets / "style.css").read_text("utf-8")),  # noqa: S704  our own
        script=Markup(script),  # noqa: S704  our own
        plotly=Markup(plotly.replace("</script", "<\\/script")),  # noqa: S704  plotly's own
        plotly_file=PLOTLY_FILE,
        generator=GENERATOR,
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
