"""What nobody knows, in words: who cannot be seen from here, since when it is silent, and what waits in a queue."""

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Final

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views import wording

ASSUME_GONE: Final = (
    "--assume-gone takes for gone what nobody here can know: on another machine, in another container, in a queue."
)

MAX_HOSTS: Final = 3
"""Machines that are named."""


def of_job(job: JobRecord) -> str:
    """`on node17, silent for 14 min 3 s`, or `waits in the queue`; empty for a job of which it is known how it stands."""
    if job.silent_since is not None:
        return _silent([job.host or "?"], job.silent_since)
    return "waits in the queue" if job.waits else ""


def of_run(run: RunRecord) -> str:
    """The same of a run and of its jobs; empty where it is known how all of them stand."""
    silent = [job for job in run.jobs if job.silent_since is not None]
    since = max((job.silent_since for job in silent if job.silent_since), default=run.silent_since)
    said = [_silent([job.host or "?" for job in silent] or [run.host or "?"], since)] if since else []
    if run.queue.perhaps:
        said = [each for each in said if silent] + [f"{wording.jobs(len(run.queue.perhaps))} may still be queued"]
    return "; ".join(said)


def _silent(hosts: Iterable[str], since: str) -> str:
    names = list(dict.fromkeys(hosts))
    more = f" and {len(names) - MAX_HOSTS} more" if len(names) > MAX_HOSTS else ""
    seconds = max(0.0, (datetime.now(timezone.utc) - datetime.fromisoformat(since)).total_seconds())
    return f"on {', '.join(names[:MAX_HOSTS])}{more}, silent for {wording.duration(seconds)}"
