"""A run or its settings as a table of HTML, for notebooks: no colours of its own but for what a status means."""

import html
from collections.abc import Mapping, Sequence
from typing import Final

from hydra_callback_kit.journal.printable import on_one_line
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import AskedRanking, ranking_on_record
from hydra_callback_kit.views.best import by_what
from hydra_callback_kit.views.direction import direction_of, the_metric
from hydra_callback_kit.views.plain_table import Column
from hydra_callback_kit.views.ranking import ranked
from hydra_callback_kit.views.report.columns import columns_of
from hydra_callback_kit.views.setting_ranking import IN_WORDS, ranked_settings
from hydra_callback_kit.views.setting_table import setting_columns
from hydra_callback_kit.views.settings import Setting, settings_of

MAX_ROWS: Final = 20
"""Rows of a table; how many more there are is said."""
MAX_METRICS: Final = 6
"""Metrics that have a column."""

_TABLE: Final = '<table style="color:inherit;font-size:inherit">'
"""A page without a doctype would have it black on whatever is there."""
_COLOURS: Final = {
    "COMPLETED": "#0b9469",
    "FAILED": "#d55e00",
    "INTERRUPTED": "#b87a00",
    "RUNNING": "#2f8fc6",
    "PRUNED": "#b5588f",
}
"""Seen on white and on black."""


def run_html(run: RunRecord) -> str:
    """A run: how it stands, and a table of its settings where its record says what to average over, else of its jobs.

    Args:
        run: a single run or a sweep.
    """
    what = "sweep" if run.mode == "MULTIRUN" else "run"
    name = as_text(run.facts.get("job_name") or "?")
    head = f"<b>{_escaped(name)}</b> {what} {_status(run.status)}: {_escaped(wording.status_counts(run))}"
    asked = ranking_on_record(run)
    metric = asked.metric or the_metric(run.facts, run.jobs)
    where = f"<br><code>{_escaped(str(run.root))}</code>"
    if not run.jobs:
        return f"<div>{head}{where}</div>"
    table = _settings(run, asked, metric) if asked.average_over and metric else _jobs(run, asked, metric)
    return f"<div>{head}{where}{table}</div>"


def settings_html(settings: Sequence[Setting]) -> str:
    """Settings in their order.

    Args:
        settings: one or more.
    """
    return _table(setting_columns(settings[:MAX_ROWS], None), _counted(len(settings), "setting", IN_WORDS))


def _settings(run: RunRecord, asked: AskedRanking, metric: str) -> str:
    mode = direction_of(run.facts, metric, asked.mode)
    settings = ranked_settings(settings_of(run.jobs, asked.average_over), metric, mode, asked.rank_by)
    note = f"{IN_WORDS}, the best first by {metric}: {by_what(mode, asked)}"
    return _table(setting_columns(settings[:MAX_ROWS], metric), _counted(len(settings), "setting", note))


def _jobs(run: RunRecord, asked: AskedRanking, metric: str | None) -> str:
    jobs, note = list(run.jobs), ""
    if metric is not None and len(jobs) > 1:
        mode = direction_of(run.facts, metric, asked.mode)
        jobs, note = ranked(jobs, metric, mode), f"the best first by {metric} ({mode})"
    columns = columns_of(jobs, metric and metric.removeprefix("return_value."))
    shown = jobs[:MAX_ROWS]
    return _table(
        [
            Column("job", [str(job.job_num) for job in shown], right=True),
            Column("status", [wording.status_of(job) for job in shown]),
            *(
                Column(each.key, ["" if code < 0 else each.texts[code] for code in each.codes[: len(shown)]])
                for each in columns.overrides
            ),
            *(
                Column(
                    each.name, ["" if value is None else f"{value:.6g}" for value in each.values[: len(shown)]], right=True
                )
                for each in columns.metrics[:MAX_METRICS]
            ),
            Column("took", [wording.duration(job.duration_s) for job in shown], right=True),
            *_why(shown),
        ],
        _counted(len(jobs), "job", note),
    )


def _why(jobs: Sequence[JobRecord]) -> list[Column]:
    """Why jobs failed, if some of those that are shown did."""
    errors = [wording.shortened(job.error.headline, 80) if job.error else "" for job in jobs]
    return [Column("error", errors)] if any(errors) else []


def _counted(count: int, what: str, note: str) -> str:
    some = f"{MAX_ROWS} of {count} {what}s" if count > MAX_ROWS else ""
    return ", ".join(filter(None, (some, note)))


def _table(columns: Sequence[Column], note: str) -> str:
    """The cells are escaped; the table has the notebook's own style."""
    sides: Mapping[bool, str] = {False: "left", True: "right"}
    heads = "".join(f'<th style="text-align:{sides[each.right]}">{_escaped(each.head)}</th>' for each in columns)
    rows = "".join(
        f"<tr>{''.join(_cell(text, sides[each.right]) for text, each in zip(cells, columns, strict=True))}</tr>"
        for cells in zip(*(each.cells for each in columns), strict=True)
    )
    said = f'<small style="opacity:0.75">{_escaped(note)}</small>' if note else ""
    return f"{_TABLE}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{said}"


def _cell(text: str, side: str) -> str:
    return f'<td style="text-align:{side};white-space:nowrap">{_status(text) if text in _COLOURS else _escaped(text)}</td>'


def _status(status: str) -> str:
    return f'<span style="color:{_COLOURS[status]}">{status}</span>'


def _escaped(text: str) -> str:
    return html.escape(on_one_line(text))
