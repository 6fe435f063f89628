"""The table of the ranks of distributed jobs on the screen: which process of which job ran where, and what became of it."""

from collections.abc import Iterable
from typing import Final

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.plain_table import Column


def rank_columns(jobs: Iterable[JobRecord]) -> list[Column]:
    """Lays out the table.

    Args:
        jobs: the jobs.

    Returns:
        Its columns, a row for each rank that left a record.
    """
    rows = [(job, rank) for job in jobs for rank in job.ranks]
    columns = [
        Column("job", [str(job.job_num) for job, _ in rows], right=True),
        Column("rank", [str(rank.rank) for _, rank in rows], right=True),
        Column("status", [rank.status for _, rank in rows]),
        Column("host", [rank.host or "?" for _, rank in rows]),
        Column("pid", ["?" if rank.pid is None else str(rank.pid) for _, rank in rows], right=True),
        Column("took", [wording.duration(rank.duration_s) for _, rank in rows], right=True),
    ]
    errors = ["" if rank.error is None else rank.error.headline for _, rank in rows]
    return [*columns, *([Column("error", errors, needed=False)] if any(errors) else [])]


def ranks_in_words(job: JobRecord) -> str:
    """How many processes a job is of, and which of them did not complete; empty for one that is a single process."""
    if job.world_size is None:
        return ""
    wrong = [f"rank {rank.rank} on {rank.host} {rank.status}" for rank in job.ranks if rank.status in _WRONG]
    more = [f"and {len(wrong) - _NAMED} more"] if len(wrong) > _NAMED else []
    return "; ".join((str(job.world_size), *wrong[:_NAMED], *more))


_WRONG: Final = ("FAILED", "INTERRUPTED")
_NAMED: Final = 2
"""Ranks that are named: one that fails has the others fail, too."""
