"""The list of the runs below a folder: which are listed, in which order, and what is said of each."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import Found, NothingToShowError, read_found
from hydra_callback_kit.cli.choice import Choice
from hydra_callback_kit.cli.pages import run_json, took
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_json, as_text
from hydra_callback_kit.views import silence, wording
from hydra_callback_kit.views.comparisons import is_override, unknown_name, value_of
from hydra_callback_kit.views.direction import Best, direction_of
from hydra_callback_kit.views.metrics import metric_names, metric_of
from hydra_callback_kit.views.plain_table import Column

MAX_VALUES: Final = 40
"""Characters of an override's values in a row."""


class Listed(NamedTuple):
    """A run that is listed.

    Attributes:
        run: the run.
        jobs: those of its jobs that meet what was asked for.
    """

    run: RunRecord
    jobs: Sequence[JobRecord]


class RunList:
    """The runs below a folder, as they were asked for. No more of them are read than are needed.

    Args:
        found: the runs that there are, newest first.
        sight: what can be found out about processes.
        choice: which of them are asked for.
        sort_by: the metric that they are sorted by, the best first; None for the newest first.
        mode: which value is the best; None for what can be known.
        rows: how many are listed at most; None for all.

    Attributes:
        listed: the runs that are listed.

    Raises:
        NothingToShowError: if there is none, or none has the metric.
    """

    def __init__(
        self,
        found: Sequence[Found],
        sight: Sight,
        choice: Choice,
        sort_by: str | None = None,
        mode: Best | None = None,
        rows: int | None = None,
    ) -> None:
        self._choice = choice
        self._sort_by = sort_by
        self._mode = mode
        self._directions: dict[str, Best] = {}
        newer = [each for each in found if each.run_id >= choice.oldest]
        read: list[RunRecord] = []
        self.listed: list[Listed] = []
        self._unread = 0
        for run in read_found(newer, sight):
            read.append(run)
            jobs = choice.meeting(run.jobs) if choice.takes(run) else []
            if (jobs or not choice.where) and choice.takes(run):
                self.listed.append(Listed(run, jobs))
            if sort_by is None and len(self.listed) == rows:
                self._unread = len(newer) - len(read)
                break
        every = [job for run in read for job in run.jobs]
        if not self.listed:
            unknown = unknown_name(choice.where, every)
            raise NothingToShowError(unknown or f"No run{choice}, of {len(found)} that there are.")
        self._columns = dict.fromkeys([*([sort_by] if sort_by else []), *(each.name for each in choice.where)])
        if sort_by is not None:
            if all(self._best(each, sort_by) is None for each in self.listed):
                raise NothingToShowError(wording.unknown_metric(sort_by, metric_names(every)))
            self.listed.sort(key=self._place)
            self._unread = 0 if rows is None else max(0, len(self.listed) - rows)
            del self.listed[len(self.listed) - self._unread :]

    def show(self, below: Path) -> None:
        """Prints the list.

        Args:
            below: the folder that the runs were found below.
        """
        runs = [each.run for each in self.listed]
        columns = [
            Column("started", [screen.local_time(run.started_at) for run in runs]),
            Column("status", [run.status for run in runs]),
            Column("directory", _relative([run.root for run in runs], below)),
            Column("jobs", [wording.status_counts(run) for run in runs]),
        ]
        if self._choice.where and any(len(run.jobs) > 1 for run in runs):
            columns.append(Column("met by", [f"{len(each.jobs)} of {len(each.run.jobs)}" for each in self.listed]))
        columns += [self._column(name) for name in self._columns]
        notes = [silence.of_run(run) for run in runs]
        if any(notes):
            columns.append(Column("note", notes))
        columns += [
            Column("took", [took(run) for run in runs], right=True, needed=not self._columns),
            Column("app", [as_text(run.facts.get("job_name") or "?") for run in runs], needed=False),
        ]
        if len({run.root for run in runs}) < len(runs):
            columns.append(Column("run", [run.run_id for run in runs], needed=False))
        screen.print_table(columns)
        if any(notes):
            screen.say(silence.ASSUME_GONE)
        if self._unread:
            which = "more" if self._sort_by else "older"
            of_them = "is" if self._unread == 1 else "are"
            looked = "looked at" if self._choice.where or self._choice.statuses else "shown"
            screen.say(f"{self._unread} {which} {of_them} not {'shown' if self._sort_by else looked}; --all lists all")
        for run in runs:
            screen.print_warnings(run)

    def json(self) -> list[dict[str, Any]]:
        """The list for machines: what was asked for is in `asked`."""
        return [run_json(each.run, None, self._asked(each) if self._columns else None) for each in self.listed]

    def _asked(self, listed: Listed) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in self._columns:
            found = self._values(listed, name) if self._is_override(name) else self._best(listed, name)
            values[name] = as_json(found)
        met = {"jobs": [job.job_num for job in listed.jobs]} if self._choice.where else {}
        return {**met, "values": values}

    def _column(self, name: str) -> Column:
        if self._is_override(name):
            texts = [", ".join(as_text(as_json(value)) for value in self._values(each, name)) for each in self.listed]
            return Column(name, [wording.shortened(text, MAX_VALUES) for text in texts])
        values = [self._best(each, name) for each in self.listed]
        cells = ["" if value is None else f"{value:.6g}" for value in values]
        return Column(f"{name} ({self._direction(name)})", cells, right=True)

    def _is_override(self, name: str) -> bool:
        """Whether a name is an override's; what is sorted by is a metric."""
        return name != self._sort_by and any(is_override(each.jobs, name) for each in self.listed)

    def _values(self, listed: Listed, name: str) -> list[Any]:
        """The values of an override in the jobs that meet what was asked for, each once."""
        values: list[Any] = []
        for found in (value_of(job, name) for job in listed.jobs):
            if found is not None and found[0] not in values:
                values.append(found[0])
        return values

    def _direction(self, metric: str) -> Best:
        """Which value of a metric is the best: one answer for all runs, that of the first one which has the metric."""
        if metric not in self._directions:
            having = (each.run for each in self.listed if any(metric_of(job, metric) is not None for job in each.jobs))
            run = next(having, None)
            self._directions[metric] = direction_of({} if run is None else run.facts, metric, self._mode)
        return self._directions[metric]

    def _best(self, listed: Listed, metric: str) -> float | None:
        """The best value of the jobs, of those that completed if one of these has it; NaN is no value."""
        numbers: dict[bool, list[float]] = {True: [], False: []}
        for job in listed.jobs:
            value = metric_of(job, metric)
            if value is not None and not math.isnan(value):
                numbers[job.status == "COMPLETED"].append(value)
        values = numbers[True] or numbers[False]
        return (max if self._direction(metric) == "max" else min)(values, default=None)

    def _place(self, listed: Listed) -> tuple[bool, float]:
        metric = self._sort_by or ""
        best = self._best(listed, metric)
        if best is None:
            return True, 0.0
        return False, -best if self._direction(metric) == "max" else best


def _relative(roots: Sequence[Path], below: Path) -> list[str]:
    """The directories as they are seen from a folder."""
    start = os.path.join(os.path.abspath(below), "")  # noqa: PTH100, PTH118  many at once, which `relpath` takes long for
    texts = list(map(str, roots))
    return [text[len(start) :] if text.startswith(start) else os.path.relpath(text, start) for text in texts]
