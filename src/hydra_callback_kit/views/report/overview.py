"""The head of the page: what ran, how it was started, where, how it ended, and the best job."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.command_line import as_typed
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_json, as_text
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.direction import objectives, pareto_front
from hydra_callback_kit.views.kept_best import deleted_in_words
from hydra_callback_kit.views.metrics import added_facts, metric_of
from hydra_callback_kit.views.ranking import best_job
from hydra_callback_kit.views.report.choice import Metric
from hydra_callback_kit.views.report.columns import links
from hydra_callback_kit.views.resumed import resumed
from hydra_callback_kit.views.varied import varied_overrides, varied_text
from hydra_callback_kit.views.whereabouts import batch_systems

MAX_FRONT: Final = 50
"""Jobs of a Pareto front that are shown."""
MAX_HOSTS: Final = 5
"""Machines that are named."""
MAX_VALUE: Final = 2_000
"""Characters of what a single run returned."""
COMMIT_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class BestJob:
    """The best job, ready to be shown.

    Attributes:
        job: the job.
        words: what it is the best in: `largest accuracy`.
        value: its metric, for people.
    """

    job: JobRecord
    words: str
    value: str


def best_of(jobs: Sequence[JobRecord], metric: Metric | None) -> BestJob | None:
    """The best job by a metric; None if there is none, or every value is NaN."""
    if metric is None or (best := best_job(jobs, metric.name, metric.mode)) is None:
        return None
    return BestJob(best, metric.words, f"{metric_of(best, metric.name):.6g}")


@dataclass(frozen=True, slots=True)
class Front:
    """The jobs that no other job beats in all objectives, ready to be shown.

    Attributes:
        objectives: the objectives with their directions: `return_value.0 (min)`.
        jobs: of each job its number, its link, what sets it apart, and its values.
        more: how many are not shown.
    """

    objectives: list[str]
    jobs: list[tuple[int, str | None, str, list[str]]]
    more: int


def front_of(run: RunRecord, beside: Path) -> Front | None:
    """The Pareto front of a sweep with several objectives; None for any other.

    Args:
        run: the run.
        beside: the directory that the page will lie in.
    """
    front = pareto_front(run.facts, run.jobs)
    if not front:
        return None
    known, varied, shown = objectives(run.facts), varied_overrides(run.jobs), front[:MAX_FRONT]
    return Front(
        [f"{name} ({best})" for name, best in known],
        [
            (job.job_num, link, varied_text(job, varied), [f"{metric_of(job, name):.6g}" for name, _ in known])
            for job, link in zip(shown, links(shown, run.root, beside), strict=True)
        ],
        len(front) - len(shown),
    )


def facts_of(run: RunRecord, now: datetime) -> dict[str, str]:
    """What is known of the run, by what it is called.

    Args:
        run: the run.
        now: the time of writing.
    """
    known = {
        "started": _time(run.started_at),
        "resumed": "; ".join(f"{_time(at)}: {what}" for at, what in resumed(run.facts)),
        "took": _took(run, now),
        "made while": f"{wording.jobs(run.count('RUNNING'))} still ran" if run.count("RUNNING") else "",
        "command": shlex.join(as_typed(run.facts)),
        "directory": str(run.root),
        "ran on": _hosts(run.jobs),
        "batch system": batch_systems(run.jobs),
        "deleted": deleted_in_words(run.facts),
        "launcher": as_text(run.facts.get("launcher") or ""),
        "versions": _versions(run.facts),
        "git commit": _commit(run.facts.get("git")),
    }
    return {name: text for name, text in known.items() if text}


def outcome_of(job: JobRecord) -> dict[str, str]:
    """What a run of one job was given and what it returned."""
    outcome = {"overrides": wording.overrides(job.task_overrides)}
    value = job.return_value
    if isinstance(value, dict):
        outcome |= {str(name): _text(item) for name, item in value.items()}
    elif value is not None:
        outcome["returned"] = _text(value)
    return {**{name: _text(fact) for name, fact in added_facts(job).items()}, **outcome}


def notices_of(run: RunRecord, asked_for: str | None, known: Sequence[str]) -> list[str]:
    """What a reader should know before the rest.

    Args:
        run: the run.
        asked_for: the metric that was asked for and that no job returned; None if there is nothing to say.
        known: the metrics that jobs returned.
    """
    notices = []
    if "aborted" in run.facts:
        notices.append(f"Aborted: {as_text(run.facts['aborted'])}")
    if run.status == "RUNNING":
        notices.append("It still runs. This is what was known when the page was written.")
    unstarted, lost = wording.not_started(run), len(wording.without_record(run))
    if lost:
        notices.append(f"{wording.jobs(lost)} of {run.planned_jobs or len(run.launched)} {wording.without_record_yet(run)}.")
    if unstarted and run.status != "RUNNING":
        notices.append(f"{wording.jobs(unstarted)} of {run.planned_jobs or len(run.launched)} never started.")
    if asked_for is not None:
        notices.append(wording.unknown_metric(asked_for, known))
    return notices + [f"A line of the journal cannot be read: {broken}" for broken in run.broken_lines[:MAX_HOSTS]]


def _time(time: str | None) -> str:
    """In the reader's time zone, with the offset that it had on that day."""
    return "" if time is None else f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _took(run: RunRecord, now: datetime) -> str:
    if run.took_s is not None:
        return wording.duration(run.took_s)
    if run.status != "RUNNING" or run.started_at is None:
        return ""
    return f"{wording.duration((now - datetime.fromisoformat(run.started_at)).total_seconds())} so far"


def _hosts(jobs: Sequence[JobRecord]) -> str:
    hosts = list(dict.fromkeys(job.host for job in jobs if job.host))
    workers = len({(job.host, job.pid, job.born) for job in jobs})
    if not hosts:
        return ""
    more = f" and {len(hosts) - MAX_HOSTS} more machines" if len(hosts) > MAX_HOSTS else ""
    return f"{', '.join(hosts[:MAX_HOSTS])}{more}{f', {workers} processes' if workers > 1 else ''}"


def _versions(facts: Mapping[str, Any]) -> str:
    names = (("hydra_version", "Hydra"), ("python_version", "Python"))
    return ", ".join(f"{name} {as_text(facts[fact])}" for fact, name in names if facts.get(fact))


def _commit(git: Any) -> str:
    if not isinstance(git, dict) or not git.get("commit"):
        return ""
    branch = f" on {as_text(git['branch'])}" if git.get("branch") else ""
    return f"{as_text(git['commit'])[:COMMIT_DIGITS]}{branch}{', with uncommitted changes' if git.get('dirty') else ''}"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(as_json(value), ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
