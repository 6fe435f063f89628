"""The table of a run's jobs on the screen: number, status, what was varied, duration, metrics."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Final

from hydra_callback_kit.cli.rank_table import ranks_in_words
from hydra_callback_kit.cli.screen import seconds_since
from hydra_callback_kit.journal.metric_growth import growth_of
from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.printable import on_one_line
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import is_number
from hydra_callback_kit.views import silence, wording
from hydra_callback_kit.views.metrics import added_facts, metric_of, metrics_of, metrics_with
from hydra_callback_kit.views.plain_table import Column
from hydra_callback_kit.views.sparkline import sparkline
from hydra_callback_kit.views.table_formats import cell_text
from hydra_callback_kit.views.varied import varied_overrides
from hydra_callback_kit.views.whereabouts import telling_id

MAX_FACT: Final = 40
"""Characters of a fact's text in a row."""


def job_columns(
    jobs: Sequence[JobRecord],
    of_run: Sequence[JobRecord],
    rows: int | None,
    sort_by: str | None = None,
    *,
    curves: bool = False,
) -> list[Column]:
    """Lays out the table.

    Args:
        jobs: the jobs in the order of the rows.
        of_run: all jobs of their run.
        rows: how many of them are shown, the first and the last ones; None for all.
        sort_by: the metric that they are sorted by, whose column is the first of the metrics and stays on a narrow screen.
        curves: whether the course of what a job reports is drawn beside the last value, as long as it runs.

    Returns:
        Its columns: only overrides that not all jobs of the run share, only numbers of what jobs returned and reported, and
        the facts that were added.
    """
    swept = varied_overrides(of_run)
    numbers = {job.job_num: metrics_of(job) for job in jobs}
    metrics = metrics_with(jobs, sort_by, list(dict.fromkeys(name for each in numbers.values() for name in each)))
    sorted_by = None if sort_by is None else metrics[0]
    for job in jobs if sorted_by is not None else ():
        value = metric_of(job, sorted_by or "")
        if value is not None:
            numbers[job.job_num].setdefault(sorted_by or "", value)
    shown = list(jobs)
    gap = None
    if rows is not None and len(jobs) > rows:
        shown, gap = [*jobs[: rows // 2], *jobs[len(jobs) - (rows - rows // 2) :]], rows // 2
    texts = [_texts(job) for job in shown]
    values = [numbers[job.job_num] for job in shown]
    columns = [
        Column("job", [str(job.job_num) for job in shown], right=True),
        Column("status", [wording.status_of(job) for job in shown]),
        *(Column(key, [job.get(key, "") for job in texts]) for key in swept),
        Column("took", [_took(job) for job in shown], right=True),
    ]
    notes = [silence.of_job(job) for job in shown]
    if any(notes):
        columns.append(Column("note", notes))
    if any(job.attempts > 1 for job in jobs):
        columns.append(Column("attempts", [str(job.attempts) for job in shown], right=True, needed=False))
    if any(job.world_size for job in jobs):
        columns.append(Column("ranks", [ranks_in_words(job) for job in shown]))
    ids, hosts = [telling_id(job) for job in shown], [job.host or "" for job in shown]
    if any(ids):
        columns.append(Column("id", ids, needed=False))
    if len({job.host for job in of_run}) > 1:
        columns.append(Column("host", hosts, needed=False))
    growing = [growth_of(job) if curves and job.status == "RUNNING" else None for job in shown]
    for name in metrics:
        courses = [sparkline(growth.curves[name].values) if growth and name in growth.curves else "" for growth in growing]
        cells = [
            f"{course} {_number(job[name])}".lstrip() if name in job else ""
            for job, course in zip(values, courses, strict=True)
        ]
        kind = "metrics" if any(name in job.metrics for job in jobs) else "return_value"
        head = f"{kind}.{name}" if name in swept else name
        columns.append(Column(head, cells, right=True, needed=name == sorted_by))
    added = [_texts_added(job) for job in shown]
    columns += [
        Column(f"facts.{name}" if name in metrics else name, [each.get(name, "") for each in added], needed=False)
        for name in dict.fromkeys(name for each in added for name in each)
    ]
    return columns if gap is None else [_with_gap(column, gap, len(jobs) - len(shown)) for column in columns]


def _with_gap(column: Column, row: int, left_out: int) -> Column:
    """Says in the middle of the rows how many are not shown."""
    said = {"job": "…", "status": f"{left_out} more"}.get(column.head, "")
    return dataclasses.replace(column, cells=[*column.cells[:row], said, *column.cells[row:]])


def _texts(job: JobRecord) -> dict[str, str]:
    """The overrides as they were written; a deleted key has no text."""
    return dict(map(_key_and_text, job.task_overrides))


@functools.lru_cache(maxsize=10_000)
def _key_and_text(override: str) -> tuple[str, str]:
    return override_key(override), override.partition("=")[2]


def _texts_added(job: JobRecord) -> dict[str, str]:
    """The facts that were added and are no numbers, cut where they are long."""
    return {
        name: wording.shortened(on_one_line(cell_text(value)), MAX_FACT)
        for name, value in added_facts(job).items()
        if not is_number(value)
    }


def _number(value: float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _took(job: JobRecord) -> str:
    if job.status == "RUNNING":
        return f"{wording.duration(seconds_since(job.started_at))} so far"
    return wording.duration(job.duration_s)
