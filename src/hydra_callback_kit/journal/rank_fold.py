"""What the ranks of a distributed job say of it: each has a record, and one that failed fails the job."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.records import JobRecord, RankRecord
from hydra_callback_kit.journal.span import Span
from hydra_callback_kit.journal.values import as_text, is_number, measured

_RANK_FACTS: Final = frozenset(("status", "error", "duration_s", "files"))

RESOURCES: Final = "resources"
"""The fact whose numbers add up to what the whole job used."""


def rank_records(spans: Mapping[int, Span], is_gone: Callable[[ProcessIdentity], bool]) -> tuple[RankRecord, ...]:
    """Makes the records of a job's ranks.

    Args:
        spans: what their lines say, by their numbers.
        is_gone: tells whether a process is known to be gone.
    """
    return tuple(_record(number, spans[number], is_gone) for number in sorted(spans))


def _record(number: int, span: Span, is_gone: Callable[[ProcessIdentity], bool]) -> RankRecord:
    process, status = span.process, span.get("status", str)
    if status is None:
        status = "INTERRUPTED" if process is None or is_gone(process) else "RUNNING"
    return RankRecord(
        rank=number,
        status=cast("Status", status),
        host=process and process.host,
        pid=process and process.pid,
        started_at=span.started_at,
        ended_at=span.ended_at,
        duration_s=measured(span.facts.get("duration_s")),
        error=error_in(span),
        facts=span.others(_RANK_FACTS),
        born=process and process.born,
    )


def error_in(span: Span) -> JobError | None:
    """Why it did not complete; None if it did, or has not said."""
    error = span.get("error", dict)
    if error is None:
        return None
    kind, message, traceback = (as_text(error.get(key, "")) for key in ("type", "message", "traceback"))
    bases = error.get("bases")
    return JobError(kind, message, traceback, tuple(map(as_text, bases)) if isinstance(bases, list) else ())


def with_ranks(job: JobRecord, ranks: Sequence[RankRecord], *, lives: bool) -> JobRecord:
    """The job as its ranks make it: one that failed or is gone before its end means that the job did not complete.

    Where several failed the first counts, for it is what the others failed of.

    Args:
        job: what rank 0 says.
        ranks: the others.
        lives: whether one of them is known to live: then the job still runs, if it has not ended by itself.
    """
    own = RankRecord(0, job.status, job.host, job.pid, job.started_at, job.ended_at, job.duration_s, job.error)
    own.born = job.born
    own.facts = {name: job.facts[name] for name in (RESOURCES,) if name in job.facts}
    job.ranks = own, *ranks
    sizes = [size for size in (job.world_size, *(rank.facts.pop("world_size", None) for rank in ranks)) if type(size) is int]
    job.world_size = max((*sizes, 1 + max(rank.rank for rank in ranks)))
    if job.status == "INTERRUPTED" and job.ended_at is None and lives:
        job.status = "RUNNING"
    failed = [rank for rank in ranks if rank.status == "FAILED"]
    if failed and job.status != "RUNNING":
        first = min(failed, key=lambda rank: rank.ended_at or "")
        if job.status != "FAILED" or (first.ended_at or "") < (job.ended_at or ""):
            job.status, job.error = "FAILED", _error_of(first)
    elif job.status == "COMPLETED":
        gone = next((rank for rank in ranks if rank.status == "INTERRUPTED"), None)
        if gone is not None:
            job.status, job.error = "INTERRUPTED", JobError("", f"{_name(gone)}: it is gone, and did not end", "")
    resources = [rank.facts.get(RESOURCES) for rank in ranks]
    if any(isinstance(each, dict) for each in resources):
        job.facts[RESOURCES] = _added_up([job.facts.get(RESOURCES), *resources])
    return job


def _error_of(rank: RankRecord) -> JobError:
    error = rank.error or JobError("", "it failed", "")
    return error._replace(message=f"{_name(rank)}: {error.message}")


def _name(rank: RankRecord) -> str:
    return f"rank {rank.rank} on {rank.host}"


def _added_up(each: Sequence[Any]) -> dict[str, Any]:
    """Sums, but of how many samples there were, and of what is a share of the same GPUs."""
    parts = [part for part in each if isinstance(part, dict)]
    together: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if not is_number(value):
                together.setdefault(name, value)
            elif name == "samples" or not is_number(together.get(name)):
                together[name] = max(value, together.get(name) or 0)
            else:
                together[name] += value
    return together
