"""What is on record of the profiles of jobs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import as_text, is_number

FACT: Final = "profile"
"""The fact of a job that was to be profiled: `profiler`, `files` (none where there is no profile), `top`, `top_share`, and
`cut_short` where another profiler has taken its place."""


class JobProfile(NamedTuple):
    """The profile of a job.

    Attributes:
        job: the job.
        page: the page; None where there is none.
        words: what it comes to.
    """

    job: JobRecord
    page: Path | None
    words: str


def profiles_of(jobs: Sequence[JobRecord]) -> list[JobProfile]:
    """The profiles of those jobs that were to be profiled; a journal may be anybody's.

    Args:
        jobs: the jobs.
    """
    found = []
    for job in jobs:
        fact = job.facts.get(FACT)
        if isinstance(fact, dict):
            listed = fact.get("files")
            names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
            page = next((name for name in names if name.endswith(".html")), None)
            path = None if page is None or job.output_dir is None or Path(page).name != page else job.output_dir / page
            found.append(JobProfile(job, path, in_words(fact)))
    return found


def in_words(fact: Mapping[str, Any]) -> str:
    """`pyinstrument: step (train.py:12) took 83 % of the time`.

    Args:
        fact: the fact.
    """
    profiler, top, share = as_text(fact.get("profiler")), fact.get("top"), fact.get("top_share")
    if not fact.get("files"):
        return f"{profiler}: no profile"
    if not isinstance(top, str) or not is_number(share):
        return f"{profiler}: nothing was seen"
    what = "allocated {:.0%} of the peak" if profiler == "memray" else "took {:.0%} of the time"
    cut_short = "; cut short" if fact.get("cut_short") else ""
    return f"{profiler}: {top} {what.format(share)}{cut_short}"
