"""Which jobs of a run are to be run again, and why others are not."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from hydra.errors import HydraException

from hydra_callback_kit.configs.plan import missing_jobs
from hydra_callback_kit.configs.recorded_overrides import count_of_jobs
from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.handed_on import HandedOn
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.commands import NotRecordedError, words_of
from hydra_callback_kit.views.resumed import went_on_otherwise

MAX_PLANNED: Final = 100_000
"""Jobs of a sweep whose missing ones are looked for."""


_OTHERWISE: Final = (
    "it has gone on with another command since. Start that one again: resume_callback lets it go on with what is left."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        statuses: of the jobs that have started.
        missing: whether jobs that never started are, too.
    """

    statuses: frozenset[Status]
    missing: bool


class Again(NamedTuple):
    """The jobs that are to be run again.

    Attributes:
        jobs: those that have started.
        first: the overrides of those that never started, by their numbers.
        queued: why others, which are asked for as well, are left out: they are, or may be, about to start. By their numbers.
        onwards: from where on all jobs are among them, where the sweeper chooses them as it goes; None if they end.
    """

    jobs: list[JobRecord]
    first: dict[int, tuple[str, ...]]
    queued: dict[int, str]
    onwards: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.jobs or self.first) or self.onwards is not None

    @property
    def numbers(self) -> list[int]:
        """The numbers of all that are to be run, in their order."""
        return sorted([*(job.job_num for job in self.jobs), *self.first])


def about_to_start(run: RunRecord) -> dict[int, str]:
    """Tells why jobs are not to be started now: they wait in a queue, or may do so.

    Args:
        run: a single run or a sweep.

    Returns:
        How that is said, by the jobs' numbers: `it is queued as 123`.
    """
    handed_on = {each.job_num: each for each in run.handed_on}
    return {
        **{num: _said(handed_on.get(num), "is", "goes on") for num in run.queue.there},
        **{num: _said(handed_on.get(num), "may still be", "may go on") for num in run.queue.perhaps},
    }


def _said(job: HandedOn | None, is_queued: str, goes_on: str) -> str:
    if job is None or job.process is None:
        return f"it {is_queued} queued{f' as {job.batch_job}' if job and job.batch_job else ''}"
    return f"the sweep {goes_on} with it, in process {job.process.pid} on {job.process.host}"


def jobs_again(run: RunRecord, wanted: Wanted, *, as_sweep: bool = False) -> Again:
    """Tells the jobs that are to be run again.

    Args:
        run: a single run or a sweep.
        wanted: what is asked for.
        as_sweep: whether the sweeper is going to say the overrides of jobs that never started.

    Raises:
        NotRecordedError: if jobs that never started are asked for, and it is not known which they are.
    """
    queued = about_to_start(run)
    # a search that goes on tries what it has given up once more, but by itself nothing comes of that
    jobs = [job for job in run.jobs if job.status in wanted.statuses and (as_sweep or not job.pruned)]
    onwards = None
    if as_sweep and went_on_otherwise(run.facts):
        raise NotRecordedError(f"The sweep has no jobs of its first command alone: {_OTHERWISE}")
    if as_sweep and run.mode == "MULTIRUN" and run.planned_jobs is None:
        if not wanted.missing:
            raise NotRecordedError(
                f"The sweeper ({run.facts.get('sweeper')}) chooses the jobs as it goes, by what the others came to. With "
                "--launcher it can only go on to its end: add --missing."
            )
        onwards = max((job.job_num for job in run.jobs), default=-1) + 1 if run.status != "COMPLETED" else None
    first = {} if not wanted.missing else _never_started(run) if as_sweep else never_started(run)
    return Again(
        [job for job in jobs if job.job_num not in queued],
        {num: overrides for num, overrides in first.items() if num not in queued},
        {num: queued[num] for num in sorted({*first, *(job.job_num for job in jobs)}) if num in queued},
        onwards,
    )


def why_left_out(run: RunRecord, job_num: int, wanted: Wanted) -> str:
    """Tells why a job that was to be run again no longer is: somebody else has seen to it.

    Args:
        run: the run as it stands now.
        job_num: which job.
        wanted: what was asked for.

    Returns:
        What has happened meanwhile; an empty text if it is still to be run.
    """
    queued = about_to_start(run)
    if job_num in queued:
        return queued[job_num]
    job = next((job for job in run.jobs if job.job_num == job_num), None)
    if job is None or job.status in wanted.statuses:
        return ""
    if job.status == "RUNNING":
        return f"it runs now, as process {job.pid} on {job.host}"
    return f"it has {'completed' if job.status == 'COMPLETED' else f'been {job.status}'} meanwhile"


def never_started(run: RunRecord) -> dict[int, tuple[str, ...]]:
    """Tells the jobs that a run was going to have and that never started, as far as the record knows.

    Args:
        run: a single run or a sweep.

    Returns:
        The overrides of each by its number.

    Raises:
        NotRecordedError: if that is not known.
    """
    overrides = words_of(run.facts.get("planned_overrides" if run.mode == "MULTIRUN" else "overrides"))
    if run.mode == "RUN":
        return {} if run.jobs else {0: tuple(overrides)}
    if run.launched and (run.planned_jobs is None or went_on_otherwise(run.facts)):
        known = {job.job_num for job in run.jobs}
        if len({*known, *run.launched}) < (run.planned_jobs or 0):
            raise NotRecordedError(f"Which jobs are missing cannot be known: {_OTHERWISE}")
        return {num: words for num, words in run.launched.items() if num not in known}
    planned = _planned(run)
    try:
        count = count_of_jobs(overrides, MAX_PLANNED)
    except HydraException as error:
        raise NotRecordedError(f"Which jobs are missing cannot be known: {error}") from error
    if count != planned:
        raise NotRecordedError("Which jobs are missing cannot be known: the sweep varies a secret value.")
    try:
        return missing_jobs(overrides, {job.job_num: job.task_overrides for job in run.jobs})
    except ValueError as error:
        raise NotRecordedError(
            "Which jobs are missing cannot be known: the sweep was shuffled, and a job was run again with other overrides, "
            "or the record of its start is lost."
        ) from error


def _planned(run: RunRecord) -> int:
    if run.planned_jobs is None:
        raise NotRecordedError(
            f"Which jobs are missing cannot be known: the sweeper ({run.facts.get('sweeper')}) chooses them as it goes. "
            "With --launcher it goes on where it was."
        )
    if run.planned_jobs > MAX_PLANNED:
        raise NotRecordedError(f"Which jobs are missing cannot be known: {run.planned_jobs} are said to have been planned.")
    return run.planned_jobs


def _never_started(run: RunRecord) -> dict[int, tuple[str, ...]]:
    """The same where the sweeper is going to say the overrides; one that chooses as it goes says the numbers as well."""
    started = {job.job_num for job in run.jobs}
    count = max(started, default=-1) + 1 if run.planned_jobs is None else _planned(run)
    return {num: () for num in range(count) if num not in started}
