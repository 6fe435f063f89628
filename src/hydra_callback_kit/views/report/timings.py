"""How long the parts of a single run took, as far as they are on record."""

from datetime import datetime
from itertools import pairwise
from typing import Any

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import measured
from hydra_callback_kit.views import wording


def timings_of(run: RunRecord, job: JobRecord) -> dict[str, str]:
    """Says when a job ran, how long it and what was before and after it took, and what it used.

    Args:
        run: its run.
        job: the job.

    Returns:
        The figures by what they are called; what is not known is left out.
    """
    times = [run.started_at, job.started_at, job.ended_at, run.ended_at]
    parts = ["before the task function", "", "after it"]
    between = {
        name: _between(begin, end)
        for name, (begin, end) in zip(parts, pairwise(times), strict=True)
        if name and begin and end
    }
    known: dict[str, str | None] = {
        "job started": _time(job.started_at),
        "job ended": _time(job.ended_at),
        "task function": _known(job.duration_s, wording.duration),
        **between,
        "CPU": _known(measured(job.facts.get("cpu_s")), wording.duration),
        "peak memory": _known(measured(job.facts.get("peak_rss_bytes")), wording.size),
        "attempts": str(job.attempts) if job.attempts > 1 else None,
    }
    earlier = [
        f"{attempt.status.lower()} after {wording.duration(attempt.duration_s)}"
        if attempt.duration_s is not None
        else attempt.status.lower()
        for attempt in job.earlier
    ]
    known["earlier attempts"] = "; ".join(earlier)
    return {name: text for name, text in known.items() if text}


def _known(value: float | None, words: Any) -> str | None:
    return None if value is None else str(words(value))


def _between(begin: str, end: str) -> str | None:
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
    return wording.duration(seconds) if seconds >= 0 else None  # the clock was set


def _time(time: str | None) -> str | None:
    return None if time is None else f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M:%S %Z}"
