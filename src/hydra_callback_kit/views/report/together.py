"""Several sweeps on one page: their jobs as those of one run, told apart by an override that names the sweep."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.overrides import override_key, quoted_value, typed_override
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import FACT, KEPT_BY, AskedRanking
from hydra_callback_kit.views.figures import in_words
from hydra_callback_kit.views.metrics import metric_of
from hydra_callback_kit.views.ranking import best_job
from hydra_callback_kit.views.setting_ranking import best_setting, setting_in_words, varied_in_settings
from hydra_callback_kit.views.settings import settings_of
from hydra_callback_kit.views.varied import varied_overrides, varied_text

_KEYS: Final = ("sweep", "report.sweep")
_WORST_FIRST: Final[tuple[Status, ...]] = ("RUNNING", "FAILED", "INTERRUPTED")
_SHARED: Final = ("job_name", "directions", FACT, KEPT_BY)
"""Facts that the page has of all of them, where they are the same."""


@dataclass(slots=True)
class SeveralRuns(RunRecord):
    """Several runs as one.

    Attributes:
        runs: the runs, by what they are called on the page.
    """

    runs: tuple[tuple[str, RunRecord], ...] = ()


def together(runs: Sequence[RunRecord]) -> RunRecord:
    """Puts the jobs of several runs together.

    Args:
        runs: runs of different directories; a single one stays as it is.

    Returns:
        A run whose jobs have one override more, `sweep`, with a name that is short and each run's own.
    """
    if len(runs) == 1:
        return runs[0]
    above = Path(os.path.commonpath([run.root for run in runs]))
    names = [str(run.root.relative_to(above)) if run.root != above else run.root.name for run in runs]
    given = {override_key(override) for run in runs for job in run.jobs for override in job.task_overrides}
    key = next(key for key in _KEYS if key not in given or key == _KEYS[-1])
    facts: dict[str, Any] = {}
    for fact in _SHARED:
        known = [run.facts[fact] for run in runs if fact in run.facts]
        if known and all(each == known[0] for each in known):
            facts[fact] = known[0]
    return SeveralRuns(
        ", ".join(run.run_id for run in runs),
        above,
        "MULTIRUN",
        next((status for status in _WORST_FIRST if any(run.status == status for run in runs)), "COMPLETED"),
        tuple(_of_sweep(job, f"{key}={_text(name)}") for name, run in zip(names, runs, strict=True) for job in run.jobs),
        facts=facts,
        broken_lines=tuple(line for run in runs for line in run.broken_lines),
        runs=tuple(zip(names, runs, strict=True)),
    )


def run_of(run: RunRecord, job: JobRecord) -> RunRecord:
    """The run that a job is of."""
    of = (each for _, each in run.runs if each.root == job.root) if isinstance(run, SeveralRuns) else iter(())
    return next(of, run)


def sweeps_of(run: RunRecord, asked: AskedRanking | None) -> list[tuple[str, str, str]]:
    """What the page says of each of several runs: its name, its jobs, and its best setting or job.

    Args:
        run: the run; of any other than several together nothing is said.
        asked: how jobs are ranked; None if they are not.
    """
    several = run.runs if isinstance(run, SeveralRuns) else ()
    return [(name, wording.status_counts(each), _best(each, asked) if asked else "") for name, each in several]


def _best(run: RunRecord, asked: AskedRanking) -> str:
    metric, mode = asked.metric or "", asked.mode or "max"
    if asked.average_over:
        settings = settings_of(run.jobs, asked.average_over)
        setting = best_setting(settings, metric, mode, asked.rank_by)
        figures = None if setting is None else setting.figures(metric)
        if setting is None or figures is None:
            return ""
        return f"{setting_in_words(setting, varied_in_settings(settings))}: {in_words(figures.mean, figures.stderr)}"
    job = best_job(run.jobs, metric, mode)
    return (
        ""
        if job is None
        else f"job {job.job_num}, {varied_text(job, varied_overrides(run.jobs))}: {metric_of(job, metric):.6g}"
    )


def _of_sweep(job: JobRecord, override: str) -> JobRecord:
    return replace(
        job,
        task_overrides=(override, *job.task_overrides),
        subdir=None if job.subdir is None else os.path.join(job.root, job.subdir),  # noqa: PTH118  asked 10,000 times
    )


def _text(name: str) -> str:
    """A text in any case: sweeps whose names are numbers have no order."""
    quoted = quoted_value(name)
    return quoted if isinstance(typed_override(f"x={quoted}")[1], str) else f"'{name}'"
