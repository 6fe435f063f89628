"""Jobs of a sweep that would do the same twice."""

from collections.abc import Sequence

from hydra_callback_kit.checks.violation import Violation
from hydra_callback_kit.record.overrides import typed_overrides


def duplicates(jobs: Sequence[Sequence[str]]) -> dict[int, Violation]:
    """Finds the jobs whose overrides say the same as those of an earlier job: `x=a` and `x='a'` do, `x=1` and `x=1.0` not.

    Args:
        jobs: each job's overrides.

    Returns:
        A violation by job number.
    """
    first: dict[frozenset[tuple[str, str]], int] = {}
    found: dict[int, Violation] = {}
    for job_num, overrides in enumerate(jobs):
        content = frozenset((key, repr(value)) for key, value in typed_overrides(overrides).items())
        earlier = first.setdefault(content, job_num)
        if earlier != job_num:
            found[job_num] = Violation("", f"is that of job {earlier} again")
    return found
