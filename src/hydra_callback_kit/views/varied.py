"""Which overrides tell a run's jobs apart."""

from collections import Counter
from collections.abc import Collection, Sequence

from hydra_callback_kit.configs.own_overrides import of_the_app
from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views import wording


def varied_overrides(jobs: Sequence[JobRecord]) -> list[str]:
    """The keys of the overrides that are not the same in all jobs, in the order they first appear in."""
    given = Counter(override for job in jobs for override in of_the_app(job.task_overrides))
    return list(dict.fromkeys(override_key(override) for override, times in given.items() if times < len(jobs)))


def shared_overrides(jobs: Sequence[JobRecord]) -> list[str]:
    """The overrides that are the same in all jobs."""
    given = Counter(override for job in jobs for override in of_the_app(job.task_overrides))
    return [override for override, times in given.items() if times == len(jobs)]


def varied_text(job: JobRecord, varied: Collection[str]) -> str:
    """What sets a job apart from the others of its run, on one line; all its overrides where nothing does.

    Args:
        job: the job.
        varied: the keys that `varied_overrides` tells of its run.
    """
    return wording.overrides([each for each in job.task_overrides if not varied or override_key(each) in varied])
