"""What a person is told of a run on the phone: a title and a few lines, made of its record."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Final, Literal, NamedTuple

from hydra_callback_kit.journal.errors import NOT_LET_START
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import ranking_on_record
from hydra_callback_kit.views.best import best_in_short
from hydra_callback_kit.views.direction import direction_of, the_metric
from hydra_callback_kit.views.metrics import metrics_of
from hydra_callback_kit.views.ranking import best_job
from hydra_callback_kit.views.summary import reason

Kind = Literal["info", "success", "warning", "failure"]

MAX_LINE: Final = 200
"""Characters of a line."""
MAX_BODY: Final = 1_500
"""Characters of a message, which every service takes."""
MAX_NAMED: Final = 5
"""Jobs that are named in a message, and numbers that a single run has returned."""


class Message(NamedTuple):
    """What is sent.

    Attributes:
        title: one line.
        body: a few lines.
        kind: how services colour it.
    """

    title: str
    body: str
    kind: Kind


def fields_of(
    run: RunRecord, event: str, failed: Sequence[tuple[int, str]] = (), lost: str = "", seen: Sequence[int] = ()
) -> dict[str, str]:
    """What there is to say of a run, by the names that a template has for it; empty where there is nothing.

    Args:
        run: the record, as it is now.
        event: why it is said.
        failed: the jobs that have failed since the last message, with what is said of each.
        lost: what is known of the run's process, if it is gone without a word, and of what goes on without it.
        seen: the numbers of the jobs that have failed, in the order in which that was seen: no record says when a job was
            killed.
    """
    said = [wording.shortened(text, MAX_LINE) for _, text in failed[:MAX_NAMED]]
    more = [f"and {len(failed) - MAX_NAMED} more"] if len(failed) > MAX_NAMED else []
    not_let_start = [job for job in run.jobs if was_not_let_start(job)]
    aborted = _why_it_was_stopped(run, not_let_start)
    fields = {
        "app": as_text(run.facts.get("job_name") or "?"),
        "what": "sweep" if run.mode == "MULTIRUN" else "run",
        "event": event,
        "status": run.status,
        "counts": wording.status_counts(run, [job.job_num for job in not_let_start]),
        "best": _best(run),
        "duration": wording.duration(_took_s(run)),
        "host": run.host or "?",
        "directory": str(run.root),
        "error": _first_error(run, seen),
        "failed": "\n".join([*said, *more]),
        "reason": (aborted and f"stopped: {aborted}") or lost,
    }
    return {name: printable(text) for name, text in fields.items()}


def message_of(fields: Mapping[str, str], failures: int, template: str | None = None) -> Message:
    """Puts it into words.

    Args:
        fields: see `fields_of`.
        failures: how many jobs have failed since the last message.
        template: the body, with the names of fields in braces; None for our own.
    """
    goes_on = fields["event"] in ("failure", "first_failure")
    if goes_on:
        title = f"{fields['app']}: {wording.jobs(failures)} failed"
        lines = [fields["failed"], f"so far: {fields['counts']}, after {fields['duration']} on {fields['host']}"]
        lines += [f"best: {fields['best']}" if fields["best"] else ""]
    else:
        title = f"{fields['app']}: {fields['what']} {fields['status']}"
        title += f": {fields['counts']}" if fields["what"] == "sweep" else ""
        lines = [fields["reason"], f"{'best' if fields['what'] == 'sweep' else 'result'}: {fields['best']}"]
        lines = [line for line in lines if line and not line.endswith(": ")]
        lines += [f"{'first error' if fields['what'] == 'sweep' else 'error'}: {fields['error']}" if fields["error"] else ""]
        lines += [f"took {fields['duration']} on {fields['host']}"]
    body = "\n".join(wording.shortened(line, MAX_LINE) for line in "\n".join(lines).split("\n") if line)
    body += f"\n{fields['directory']}"
    if template is not None:
        body = template.format_map(fields)
    return Message(wording.shortened(title.replace("\n", " "), MAX_LINE), wording.shortened(body, MAX_BODY), _kind(fields))


def what_failed(job_num: int, overrides: Sequence[str], why: str) -> str:
    """`job 3 (x=3): ValueError: boom`."""
    return f"job {job_num} ({wording.overrides(overrides)}): {why}"


def was_not_let_start(job: JobRecord) -> bool:
    """Whether a callback did not let a job start: it is on record to have failed, and its task function was never called."""
    return job.error is not None and job.error.type in NOT_LET_START


def _why_it_was_stopped(run: RunRecord, not_let_start: Sequence[JobRecord]) -> str:
    """What the callback has said that stopped the run, or else of the first job that was not let start."""
    if "aborted" in run.facts:
        return as_text(run.facts["aborted"]).partition("\n")[0]
    said = [(_when(job), job.error.message.partition("\n")[0]) for job in not_let_start if job.error]
    return min(said)[1] if said else ""


def _kind(fields: Mapping[str, str]) -> Kind:
    by_status: dict[str, Kind] = {"COMPLETED": "success", "INTERRUPTED": "warning"}
    return by_status.get(fields["status"], "failure" if fields["error"] else "info")


def _best(run: RunRecord) -> str:
    """The best job or setting of a sweep, and what a single run has returned."""
    if run.mode != "MULTIRUN":
        numbers = [(name, f"{value:.6g}") for job in run.jobs for name, value in metrics_of(job).items()]
        return ", ".join(value if name == "return_value" else f"{name} {value}" for name, value in numbers[:MAX_NAMED])
    asked = ranking_on_record(run)
    asked = asked._replace(metric=asked.metric or the_metric(run.facts, run.jobs))
    said = best_in_short(run, asked, hint=False)
    if not said or asked.average_over or asked.metric is None:
        return said
    job = best_job(run.jobs, asked.metric, direction_of(run.facts, asked.metric, asked.mode))
    return said if job is None else f"{said}: {wording.overrides(job.task_overrides)}"


def _first_error(run: RunRecord, seen: Sequence[int]) -> str:
    """Of the jobs that did not complete, the one that failed first; those that were not let start only tell that."""
    failed = [job for job in run.jobs if job.status in ("FAILED", "INTERRUPTED") and not job.pruned]
    places = {job_num: place for place, job_num in enumerate(dict.fromkeys(seen))}
    first = min(failed, key=lambda job: (places.get(job.job_num, len(places)), _when(job)), default=None)
    if first is None:
        return ""
    return reason(first) if run.mode != "MULTIRUN" else what_failed(first.job_num, first.task_overrides, reason(first))


def _when(job: JobRecord) -> tuple[bool, str]:
    return was_not_let_start(job), job.ended_at or job.started_at or ""


def _took_s(run: RunRecord) -> float | None:
    if run.took_s is not None or run.started_at is None:
        return run.took_s
    return max(0.0, (datetime.now(timezone.utc) - datetime.fromisoformat(run.started_at)).total_seconds())
