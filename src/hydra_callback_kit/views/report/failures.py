"""The jobs that failed or were interrupted, grouped by their error."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.output import Output, outputs_of
from hydra_callback_kit.views.run import failed_jobs
from hydra_callback_kit.views.summary import reason

MAX_GROUPS: Final = 30
"""Groups of errors that are spelled out."""
MAX_JOBS: Final = 20
"""Jobs of a group that are named."""

_NUMBER: Final = re.compile(r"0x[0-9a-fA-F]+|\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?")


@dataclass(slots=True)
class Failure:
    """Jobs that ended with the same error, up to the numbers in its message.

    Attributes:
        headline: the error of the first of them.
        jobs: the jobs.
        shared: overrides that all of them have, and not all jobs of the run.
        secret_keys: the words that make a key secret in their run.
    """

    headline: str
    jobs: list[JobRecord] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    secret_keys: Any = None

    @property
    def status(self) -> str:
        """`FAILED`, `INTERRUPTED` or `PRUNED`."""
        return wording.status_of(self.jobs[0])

    @property
    def outputs(self) -> list[Output]:
        """How the output of the first of them ends; empty if it was not captured."""
        return outputs_of(self.jobs[0], self.secret_keys)

    @property
    def traceback(self) -> str:
        """The traceback of the first of them; empty if there is none."""
        error = self.jobs[0].error
        return error.traceback.strip() if error else ""


def failures_of(run: RunRecord) -> list[Failure]:
    """Groups the jobs that failed or were interrupted.

    Args:
        run: a single run or a sweep.

    Returns:
        The largest group first, and what was pruned last.
    """
    groups: dict[tuple[str, str], Failure] = {}
    secret_keys = run.facts.get("secret_keys")
    for job in failed_jobs(run):
        headline = reason(job)
        groups.setdefault(
            (wording.status_of(job), _NUMBER.sub("#", headline)), Failure(headline, secret_keys=secret_keys)
        ).jobs.append(job)
    if groups:
        given = Counter(override for job in run.jobs for override in job.task_overrides)
        for failure in groups.values():
            failure.shared = _shared(failure.jobs, given, len(run.jobs))
    return sorted(groups.values(), key=lambda failure: (failure.status == wording.PRUNED, -len(failure.jobs)))


def _shared(failed: Sequence[JobRecord], given: Mapping[str, int], jobs: int) -> list[str]:
    if len(failed) < 2:  # noqa: PLR2004  one job shares all with itself
        return []
    among = Counter(override for job in failed for override in job.task_overrides)
    return [override for override, times in among.items() if times == len(failed) and given[override] < jobs]
