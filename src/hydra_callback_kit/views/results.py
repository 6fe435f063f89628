"""The results table: what each job varied and what came out, nested for JSON and flat for tables."""

import dataclasses
import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.configs.own_overrides import of_the_app
from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.format import CAPTURED_OUTPUT, CONFIGS, HYDRA_CONFIG
from hydra_callback_kit.journal.overrides import override_key, typed_overrides
from hydra_callback_kit.journal.records import AttemptRecord, JobRecord, RankRecord, RunRecord
from hydra_callback_kit.views.flat import Flattening, Row
from hydra_callback_kit.views.reported import cells_of, reported_names
from hydra_callback_kit.views.table_formats import Table

_HEAD: Final = ("job_num", "job_id", "job_name", "status")
_ERROR: Final = ("error_type", "error_message")
_TAIL: Final = ("started_at", "ended_at", "duration_s", "attempts", "host", "output_dir")
_FIRST_ID: Final = "first_job_id"
_FIXED: Final = frozenset((*_HEAD, *_ERROR, *_TAIL, _FIRST_ID))
_CONFIG: Final = "config"
_AS_WRITTEN: Final = "config_as_written"
_SHOWN_ELSEWHERE: Final = frozenset((*CONFIGS, _AS_WRITTEN, CAPTURED_OUTPUT))
"""Facts that are most of a record, and no results."""
_TIMES: Final = frozenset(("started_at", "ended_at"))
_NOT_FOR_PEOPLE: Final = frozenset(
    ("job_id", _FIRST_ID, "job_name", "started_at", "ended_at", "attempts", "host", "output_dir")
)


def nested_row(job: JobRecord, *, include_config: bool = True) -> Row:
    """One job as an object of `results.json`.

    Args:
        job: the job.
        include_config: whether its config is part of it.

    Returns:
        `job_num`, `job_id`, `job_name`, `status`, `overrides`, `return_value`, `error`, `started_at`, `ended_at`,
        `duration_s`, `attempts`, `host`, `output_dir`, `facts` (what other callbacks recorded, by name), of a job that
        reported some `metrics` (by name, each with `last`, `step`, `min`, `min_step`, `max`, `max_step`, `points`), of a
        distributed job `world_size` and `ranks` (each with `rank`, `status`, `host`, `pid`, `started_at`, `ended_at`,
        `duration_s`, `error`, `facts`), `config` and, if there are such keys, `config_as_written`; `first_job_id` where
        the job was run again under another id; `earlier_attempts` of a job that was started several times (each with
        `status`, `overrides`, `error`, `started_at`, `ended_at`, `duration_s`, `host`); `hydra_config` where it is on
        record and was read. Floats are floats, NaN and
        infinities too.
    """
    row: Row = {
        "job_num": job.job_num,
        "job_id": job.job_id,
        "job_name": job.job_name,
        "status": job.status,
        "overrides": job.overrides,
        "return_value": job.return_value,
        "error": _error(job.error),
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "duration_s": job.duration_s,
        "attempts": job.attempts,
        "host": job.host,
        "output_dir": _directory(job),
        "facts": _other_facts(job) or {},
        **({"metrics": {name: metric._asdict() for name, metric in job.metrics.items()}} if job.metrics else {}),
        **({} if job.world_size is None else {"world_size": job.world_size, "ranks": [_rank(rank) for rank in job.ranks]}),
    }
    if job.first_job_id is not None:
        row[_FIRST_ID] = job.first_job_id
    if job.earlier:
        row["earlier_attempts"] = list(map(_attempt, job.earlier))
    if HYDRA_CONFIG in job.facts:
        row[HYDRA_CONFIG] = job.facts[HYDRA_CONFIG]
    if not include_config:
        return row
    left = {_AS_WRITTEN: job.facts[_AS_WRITTEN]} if job.facts.get(_AS_WRITTEN) else {}
    return {**row, _CONFIG: job.facts.get(_CONFIG), **left}


def _error(error: JobError | None) -> Row | None:
    return None if error is None else {"type": error.type, "message": error.message, "traceback": error.traceback}


def _attempt(attempt: AttemptRecord) -> Row:
    status, overrides, error, *others = attempt
    return {
        "status": status,
        "overrides": typed_overrides(overrides),
        "error": _error(error),
        **dict(zip(AttemptRecord._fields[3:], others, strict=True)),
    }


def _rank(rank: RankRecord) -> Row:
    facts = {name: fact for name, fact in rank.facts.items() if name not in _SHOWN_ELSEWHERE}
    said = dataclasses.asdict(rank)
    del said["born"]  # it tells nobody but the system anything
    return {**said, "error": _error(rank.error), "facts": facts}


def flat_rows(jobs: Sequence[JobRecord]) -> Iterator[Row]:
    """The jobs as rows that all have the same columns, the union of what the jobs have.

    They are `job_num`, `job_id`, `job_name`, `status`; each override under its own key; `return_value`, or
    `return_value.<key>` for each item of a mapping, or of a short sequence of numbers; each metric that a job reported, and
    did not return, under its name: the last value, or what another job returned by that name; `error_type`,
    `error_message`; `started_at`, `ended_at`, `duration_s`, `attempts`, `host`, `output_dir`, and `first_job_id` if a job
    was run again under another id; each other fact under its name, but not the config. An override whose key is one of the
    other names is called `overrides.<key>`, such a metric `metrics.<name>`, and such a fact `facts.<name>`. Overrides that
    choose callbacks of this package have no column.

    Args:
        jobs: the jobs, in the order of the rows.

    Yields:
        Value by column, None where a job has none.
    """
    layout = _Layout(jobs)
    for cells in layout.cells(jobs):
        yield dict(zip(layout.columns, cells, strict=True))


def results_table(run: RunRecord, *, include_config: bool = True) -> Table:
    """The results of a run, ready to be written in any format.

    Args:
        run: a single run or a sweep.
        include_config: whether nested rows hold the jobs' configs.
    """
    layout = _Layout(run.jobs)
    return Table(
        nested=lambda: (nested_row(job, include_config=include_config) for job in run.jobs),
        columns=layout.columns,
        cells=lambda: layout.cells(run.jobs),
        times=_TIMES,
        not_for_people=_NOT_FOR_PEOPLE,
    )


def results_table_of_all(runs: Mapping[str, RunRecord], *, include_config: bool = True) -> Table:
    """The results of several runs in one table, whose first column, `sweep`, says which.

    Args:
        runs: the runs by name.
        include_config: whether nested rows hold the jobs' configs.
    """
    jobs = [job for run in runs.values() for job in run.jobs]
    names = [name for name, run in runs.items() for _ in run.jobs]
    layout = _Layout(jobs)
    column = "sweep"
    while column in layout.columns:  # an override's key
        column += "'"

    def nested() -> Iterator[Row]:
        for name, job in zip(names, jobs, strict=True):
            yield {"sweep": name, **nested_row(job, include_config=include_config)}

    return Table(
        nested=nested,
        columns=[column, *layout.columns],
        cells=lambda: ([name, *cells] for name, cells in zip(names, layout.cells(jobs), strict=True)),
        times=_TIMES,
        not_for_people=_NOT_FOR_PEOPLE,
    )


class _Layout:
    """Where each job's values go: found by a look at all jobs, before the first row is made."""

    def __init__(self, jobs: Iterable[JobRecord]) -> None:
        written: dict[str, None] = {}
        reporting = False
        first_ids = False
        values, facts = Flattening("return_value"), Flattening("")
        for job in jobs:
            for override in of_the_app(job.task_overrides):
                written[override.partition("=")[0]] = None
            values.see(job.return_value)
            facts.see(_other_facts(job))
            reporting = reporting or bool(job.metrics)
            first_ids = first_ids or job.first_job_id is not None
        self._overrides = list(dict.fromkeys(map(override_key, written)))
        self._values, self._value_columns = values, tuple(values.columns) or ("return_value",)
        self._facts, self._fact_columns = facts, tuple(facts.columns)
        taken = {*_FIXED, *self._value_columns}
        overrides = [free_name(key, "overrides", taken) for key in self._overrides]
        self._reported = reported_names(jobs) if reporting else []
        metrics = [free_name(name, "metrics", taken) for name in self._reported]
        names = [free_name(name, "facts", taken) for name in self._fact_columns]
        self._first_ids = [_FIRST_ID] if first_ids else []
        self.columns = [*_HEAD, *overrides, *self._value_columns, *metrics, *_ERROR, *_TAIL, *self._first_ids, *names]

    def cells(self, jobs: Iterable[JobRecord]) -> Iterator[list[Any]]:
        """The cells of each job, one for each column."""
        values, value_columns, facts, fact_columns = self._values, self._value_columns, self._facts, self._fact_columns
        for job in jobs:
            error = job.error
            yield [
                job.job_num,
                job.job_id,
                job.job_name,
                job.status,
                *map(typed_overrides(job.task_overrides).get, self._overrides),
                *values.cells(job.return_value, value_columns),
                *(cells_of(job, self._reported) if self._reported else ()),
                error and error.type,
                error and error.message,
                job.started_at,
                job.ended_at,
                job.duration_s,
                job.attempts,
                job.host,
                _directory(job),
                *(job.first_job_id for _ in self._first_ids),
                *facts.cells(_other_facts(job), fact_columns),
            ]


def free_name(name: str, kind: str, taken: set[str]) -> str:
    """A name for a column that no other one has.

    Args:
        name: what it would be called.
        kind: what comes before it, and a dot, where another column is called so.
        taken: the names of the others; the new one is added.
    """
    if name in taken:
        name = f"{kind}.{name}"
    while name in taken:
        name += "'"
    taken.add(name)
    return name


def _other_facts(job: JobRecord) -> Row | None:
    facts = job.facts
    if not facts.keys().isdisjoint(_SHOWN_ELSEWHERE):
        facts = {name: fact for name, fact in facts.items() if name not in _SHOWN_ELSEWHERE}
    return facts or None


def _directory(job: JobRecord) -> str | None:
    subdir = job.subdir
    if subdir is None or os.path.isabs(subdir):  # noqa: PTH117  made 100,000 times, as below
        return subdir
    return _prefix(job.root) + subdir


@functools.lru_cache
def _prefix(root: Path) -> str:
    return os.path.join(root, "")  # noqa: PTH118  it ends with the separator
