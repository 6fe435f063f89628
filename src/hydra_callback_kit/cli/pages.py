"""What `show` shows of one run, for people and for machines."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.job_table import job_columns
from hydra_callback_kit.cli.rank_table import rank_columns, ranks_in_words
from hydra_callback_kit.journal.command_line import as_typed
from hydra_callback_kit.journal.output_file import output_file_of
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_json, as_text
from hydra_callback_kit.views import silence, wording
from hydra_callback_kit.views.asked_ranking import AskedRanking
from hydra_callback_kit.views.best import best_in_short
from hydra_callback_kit.views.kept_best import deleted_in_words
from hydra_callback_kit.views.metrics import added_facts
from hydra_callback_kit.views.reported import reported
from hydra_callback_kit.views.results import free_name, nested_row
from hydra_callback_kit.views.resumed import resumed
from hydra_callback_kit.views.summaries import stale_summaries
from hydra_callback_kit.views.summary import reason
from hydra_callback_kit.views.table_formats import cell_text
from hydra_callback_kit.views.whereabouts import place_in_words


def print_run(
    run: RunRecord,
    jobs: Sequence[JobRecord],
    earlier: Sequence[str],
    rows: int | None,
    sort_by: str | None,
    *,
    asked: AskedRanking,
    of_settings: bool = False,
    curves: bool,
) -> None:
    """Prints one run.

    Args:
        run: the run.
        jobs: those of its jobs that are shown, in the order of the rows.
        earlier: ids of other runs in the same directory.
        rows: how many rows the table may have; None for any number.
        sort_by: the metric that the jobs are sorted by, if any.
        asked: how the run is ranked.
        of_settings: whether its settings are shown below.
        curves: whether the course of what running jobs report is drawn.
    """
    name = run.facts.get("job_name") or "app"
    kind = "sweep" if run.mode == "MULTIRUN" else "run"
    status = screen.Styled(run.status, screen.COLOURS[run.status], bold=True)
    screen.say(screen.Styled(as_text(name), bold=True), f"  {kind} ", status, f": {wording.status_counts(run)}")
    best = best_in_short(run, asked, hint=not of_settings)
    screen.print_facts(_facts(run, earlier, best))
    screen.print_warnings(run)
    if "aborted" in run.facts:
        screen.say()
        screen.print_reason(as_text(run.facts["aborted"]))
    if jobs and run.mode == "MULTIRUN":
        screen.say()
        screen.print_table(job_columns(jobs, run.jobs, rows, sort_by, curves=curves))


def _facts(run: RunRecord, earlier: Sequence[str], best: str) -> dict[str, str]:
    told = {
        "directory": str(run.root),
        "started": _started(run),
        "resumed": "; ".join(f"{screen.local_time(at)}: {what}" for at, what in resumed(run.facts)),
        "not known": f"{silence.of_run(run)} (see --assume-gone)" if silence.of_run(run) else "",
        "summaries": f"{stale_summaries(run)} (--remake makes them again)" if stale_summaries(run) else "",
        "command": shlex.join(as_typed(run.facts)),
        "deleted": deleted_in_words(run.facts),
        "output": _output(run),
        "queued": wording.handed_on(run) if run.handed_on else "",
        "best": best,
        "uploaded": _uploaded(run),
    }
    facts = {name: words for name, words in told.items() if words}
    if run.mode == "RUN":
        facts |= _outcome(run)
    if earlier:
        facts["other runs"] = f"{', '.join(earlier[-3:])}{' …' if len(earlier) > 3 else ''} (--run ID shows one)"  # noqa: PLR2004  what fits a line
    return facts


def _output(run: RunRecord) -> str:
    """Where what a run prints goes that has no terminal; empty where it has one."""
    file = output_file_of(run.root, run.facts)
    return (
        "" if file is None or not file.exists() else file.name + (" (attach follows it)" if run.status == "RUNNING" else "")
    )


def _uploaded(run: RunRecord) -> str:
    """Where its files were sent; empty where they were not."""
    fact = run.facts.get("uploaded")
    if type(fact) is not dict or type(fact.get("to")) is not str:
        return ""
    if fact.get("complete") is True:
        return f"{fact.get('files')} files to {fact['to']}"
    if run.status == "RUNNING":
        return f"as jobs end, to {fact['to']}"
    return f"not all of it, to {fact['to']} (sync --to sends the rest)"


def print_ranks(run: RunRecord, jobs: Sequence[JobRecord]) -> None:
    """Prints the ranks of a run's distributed jobs.

    Args:
        run: the run.
        jobs: the jobs whose ranks are shown.
    """
    screen.print_table(rank_columns(jobs))
    screen.print_warnings(run)


def run_json(run: RunRecord, jobs: Sequence[JobRecord] | None, asked: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One run for machines.

    Args:
        run: the run.
        jobs: the jobs to spell out; None for none, where their counts are enough.
        asked: what was asked for besides; None for nothing.
    """
    stale = stale_summaries(run)
    described: dict[str, Any] = {
        "run_id": run.run_id,
        "root": str(run.root),
        "mode": run.mode,
        "status": run.status,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_s": run.duration_s,
        "planned_jobs": run.planned_jobs,
        "host": run.host,
        "silent_since": run.silent_since,
        "jobs_completed": run.count("COMPLETED"),
        "jobs_failed": run.count("FAILED"),
        "jobs_pruned": sum(job.pruned for job in run.jobs),
        "jobs_interrupted": run.count("INTERRUPTED"),
        "jobs_running": run.count("RUNNING"),
        "stale_summaries": list(stale.files) if stale else [],
        "jobs_queued": sorted(run.queue.there),
        "jobs_perhaps_queued": sorted(run.queue.perhaps),
        "jobs_without_record": list(wording.without_record(run)),
        "handed_on": [{"job_num": job.job_num, "at": job.at, "batch_job": job.batch_job} for job in run.handed_on],
        "broken_lines": [str(broken) for broken in run.broken_lines],
    }
    if asked is not None:
        described["asked"] = dict(asked)
    taken = {*described, "jobs"}
    described |= {free_name(name, "facts", taken): fact for name, fact in run.facts.items()}
    return described if jobs is None else {**described, "jobs": [_job_json(job) for job in jobs]}


def _job_json(job: JobRecord) -> dict[str, Any]:
    return {**nested_row(job), "waits": job.waits, "silent_since": job.silent_since}


def _started(run: RunRecord) -> str:
    if run.status == "RUNNING" and run.ended_at is not None:  # its jobs go on, or one is run again
        return f"{screen.local_time(run.started_at)}, its process ended after {took(run)}"
    if run.status == "RUNNING":
        return f"{screen.local_time(run.started_at)}, runs for {took(run)}"
    in_all = f", took {took(run)}" if run.took_s is not None else ""
    return f"{screen.local_time(run.started_at)}{in_all}"


def took(run: RunRecord) -> str:
    """How long a run took, or has run so far, in words."""
    running = run.status == "RUNNING" and run.ended_at is None
    return wording.duration(screen.seconds_since(run.started_at) if running else run.took_s)


def _outcome(run: RunRecord) -> dict[str, str]:
    """What came of a single run."""
    if not run.jobs:
        return {}
    job = run.jobs[0]
    facts = {"overrides": wording.overrides(job.task_overrides)}
    if job.return_value is not None:
        facts["returned"] = json.dumps(as_json(job.return_value), ensure_ascii=False)
    if place_in_words(job):
        facts["ran as"] = place_in_words(job)
    taken = {*facts, "ranks", "attempts", "error"}
    for name, value in reported(job).items():
        facts[free_name(name, "metrics", taken)] = cell_text(value)
    for name, value in added_facts(job).items():
        facts[free_name(name, "facts", taken)] = cell_text(value)
    if job.world_size is not None:
        facts["ranks"] = ranks_in_words(job)
    if job.attempts > 1:
        facts["attempts"] = str(job.attempts)
    return {**facts, "error": reason(job)} if reason(job) else facts
