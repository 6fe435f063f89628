"""Jobs of a sweep that would do the same twice."""

from collections.abc import Sequence
from typing import Final

from hydra_callback_kit.checks.violation import Violation

DUPLICATE: Final = Violation("", "repeats that of an earlier job")


def duplicates(jobs: Sequence[Sequence[str]]) -> dict[int, int]:
    """Finds the jobs whose overrides say the same as those of an earlier job: `x=a` and `x='a'` do, `x=1` and `x=1.0` not.

    Args:
        jobs: each job's overrides.

    Returns:
        The numbers of the jobs that are `DUPLICATE`, and of the first job that each repeats.
    """
    from hydra_callback_kit.journal.overrides import typed_overrides  # noqa: PLC0415  a single run has none

    first: dict[frozenset[tuple[str, str]], int] = {}
    found: dict[int, int] = {}
    for job_num, overrides in enumerate(jobs):
        content = frozenset((key, repr(value)) for key, value in typed_overrides(overrides).items())
        if first.setdefault(content, job_num) != job_num:
            found[job_num] = first[content]
    return found
