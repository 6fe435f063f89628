"""A sweep that goes on starts only the jobs that are left; of the others the sweeper gets what is on record."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, NoReturn

from hydra.core.utils import JobReturn

from hydra_callback_kit.journal.job_numbers import JobNumbers
from hydra_callback_kit.journal.masking import is_marked
from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.launching.answering import can_be_given_back, completed, failed
from hydra_callback_kit.launching.policy import Batch, Policy

_log = SafeLogger("hydra_callback_kit")


class Left(NamedTuple):
    """What is left of a sweep.

    Attributes:
        jobs: the jobs that are on record, by their numbers.
        named: the numbers of those that are to be started, if nobody has seen to them since.
        queued: the numbers of those that somebody else is about to start.
        fixed: the keys that are the same for all jobs, because they were given as one value.
        chooses: whether the sweeper chooses jobs by what others returned; else it asks for all of them, and what it gets is
            never looked at.
    """

    jobs: Mapping[int, JobRecord]
    named: JobNumbers
    queued: Collection[int]
    fixed: Collection[str]
    chooses: bool

    def holds(self, num: int) -> bool:
        """Whether a job is to be started."""
        job = self.jobs.get(num)
        open_yet = num not in self.queued and (job is None or job.status not in ("COMPLETED", "RUNNING"))
        return open_yet and num in self.named


class LeavesOut(Policy):
    """Lets start what is left.

    Args:
        left: what that is.
        stop: ends the sweep, with a message: the sweeper chooses jobs that are not those on record.
    """

    def __init__(self, left: Left, stop: Callable[[str], NoReturn]) -> None:
        self._left = left
        self._stop = stop

    def answers(self, batch: Batch) -> Mapping[int, JobReturn]:
        """The jobs that are not left."""
        answers = {}
        for num, overrides in batch.items():
            if not self._left.holds(num):
                job = self._left.jobs.get(num)
                answer = self._answer(job, overrides) if self._left.chooses else completed(job, overrides)
                if answer is not None:
                    answers[num] = answer
        return answers

    def _answer(self, job: JobRecord | None, overrides: Sequence[str]) -> JobReturn | None:
        """What a sweeper learns from; None if the job has to be started for that."""
        if job is None:
            return None
        differ = differing(job, overrides, self._left.fixed)
        if differ:
            self._stop(
                f"The sweeper has chosen {' '.join(differ)} for job {job.job_num}, which is on record with "
                f"{' '.join(job.task_overrides)}: what that came to is no answer to it, and it would be written over.\nA "
                "sweeper that draws at random needs a seed (hydra.sweeper.sampler.seed=1). One that learns goes another way "
                "once a job that failed completes: `rerun --interrupted --missing --launcher` leaves those that failed. "
                "Without --launcher each job is run again by itself."
            )
        if job.status == "COMPLETED" and not can_be_given_back(job.return_value):
            _log.warning("Job %s is run again: of what it returned only the text is on record.", job.job_num)
            return None
        return completed(job, overrides) if job.status == "COMPLETED" else failed(job, overrides)


def differing(job: JobRecord, overrides: Sequence[str], fixed: Collection[str]) -> list[str]:
    """The overrides in which a job is another one than that on record.

    Args:
        job: the record.
        overrides: what the sweeper asks for.
        fixed: keys that it has not chosen.
    """
    before = {override_key(override): override.partition("=")[2] for override in job.task_overrides}
    differ = []
    for override in overrides:
        key, value = override_key(override), override.partition("=")[2]
        if key not in fixed and before.get(key) != value and not is_marked(before.get(key, "")):
            differ.append(override)
    return differ
