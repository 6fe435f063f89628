"""Which overrides tell a run's jobs apart."""

from collections import Counter
from collections.abc import Sequence

from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.records import JobRecord


def varied_overrides(jobs: Sequence[JobRecord]) -> list[str]:
    """The keys of the overrides that are not the same in all jobs, in the order they first appear in."""
    given = Counter(override for job in jobs for override in job.task_overrides)
    return list(dict.fromkeys(override_key(override) for override, times in given.items() if times < len(jobs)))
