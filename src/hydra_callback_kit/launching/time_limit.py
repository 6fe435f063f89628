"""What the time limits of jobs and of their sweep do between sweeper and launcher."""

import itertools
import os
import shlex
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from hydra.core.utils import JobReturn, JobStatus
from hydra.types import TaskFunction

from hydra_callback_kit.journal.errors import JobError, error_of
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.job_numbers import joined_numbers
from hydra_callback_kit.journal.last_words import take_last_words
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.launching import job_watch
from hydra_callback_kit.launching.aftermath import Aftermath
from hydra_callback_kit.launching.answering import failed_by
from hydra_callback_kit.launching.deadline import Deadline
from hydra_callback_kit.launching.limited import LimitedTask, Limits, too_long
from hydra_callback_kit.launching.lost import VALUELESS, VALUELESS_AGAIN, Became
from hydra_callback_kit.launching.policy import Batch, Next, Policy, Round
from hydra_callback_kit.launching.timeouts import JobTimeoutError, SweepTimeoutError
from hydra_callback_kit.views import wording

_log = SafeLogger("hydra_callback_kit.time_limit_callback")

KILLED_BY: Final = "killed_by"
"""The fact of a job whose process was killed: by what."""
US: Final = "time_limit_callback"

_WATCHES: Final = Path(job_watch.__file__).name
"""What tells the thread that watched, which is no part of the job."""

Stop = Callable[[str], NoReturn]


class _Ended(NamedTuple):
    """What has become of a launch that raised, in which jobs were killed because they took too long."""

    killed: Mapping[int, JobError]
    became: Became


class TimeLimit(Policy):
    """Lets jobs take no longer than they may, and starts none once the time of the sweep is over.

    Args:
        run: the sweep.
        limits: what its jobs keep to.
        stop: ends the sweep, with a message.
        looks_at_values: whether somebody looks at what its jobs return.
    """

    place = 20
    patient = True

    def __init__(self, run: RunIdentity, limits: Limits, stop: Stop, *, looks_at_values: bool) -> None:
        self._run = run
        self._limits = limits
        self._stop = stop
        self._aftermath = Aftermath(run, _log, looks_at_values=looks_at_values)
        self.ended: _Ended | None = None

    def task_of_jobs(self, task_function: TaskFunction) -> TaskFunction:
        """Its time is counted where it is called."""
        return LimitedTask(task_function, self._limits)

    def answers(self, batch: Batch) -> Mapping[int, JobReturn]:
        """None; a batch that comes too late ends the sweep."""
        deadline = self._limits.deadline
        if batch and deadline is not None and deadline.is_over:
            self._stop_without(deadline, batch)
        self._aftermath.begin()
        return {}

    def after(self, launched: Round) -> Next | None:
        """Once the time of the sweep is over, nothing is started again, and jobs that were refused end it."""
        self.ended = self._how_it_ended(launched)
        deadline = self._limits.deadline
        if deadline is None or not deadline.is_over:
            return None
        home = {num: each for num, each in launched.returned.items() if each is not None}
        refused = {num for num, each in home.items() if isinstance(each._return_value, SweepTimeoutError)}  # noqa: SLF001  `return_value` raises it
        left = refused if self.ended is None else refused | self.ended.became.lost - self.ended.killed.keys()
        if left:
            self._stop_without(deadline, left)
        answers = {num: each for num, each in home.items() if each.status is not JobStatus.COMPLETED}
        valueless = () if self.ended is None else self.ended.became.valueless
        return Next(answers=answers | {num: failed_by(f"job {num}: {VALUELESS}", launched.batch[num]) for num in valueless})

    def _stop_without(self, deadline: Deadline, jobs: Collection[int]) -> NoReturn:
        self._stop(not_started(joined_numbers(jobs, ", "), len(jobs), deadline, self._run.root))

    def _how_it_ended(self, launched: Round) -> _Ended | None:
        if launched.error is None or self._limits.job_s is None:
            self._aftermath.count(launched)
            return None
        became, record = self._aftermath.of(launched)
        jobs = {} if record is None else {job.job_num: job for job in record.jobs}
        killed = {
            num: error
            for num, error in became.failed.items()
            if num in jobs and launched.returned.get(num) is None and jobs[num].facts.get(KILLED_BY) == US
        }
        for words in take_last_words(self._run, became.killed):
            if words.where:
                killed[words.job_num] = self._record_kill(jobs[words.job_num], words.attempt, words.where)
        return _Ended(killed, became) if killed else None

    def _record_kill(self, job: JobRecord, attempt: str, where: str) -> JobError:
        """Of a job that could not say so itself."""
        limits = self._limits
        message = f"{too_long(limits.job_s or 0)}, in code that does not come back to Python: its process was killed"
        error = error_of(JobTimeoutError(message))._replace(traceback=_of_the_job(where))
        identity = JobIdentity(
            self._run, job.job_num, attempt, os.getpid(), job.job_id, job.job_name or "", job.task_overrides, Path()
        )
        status = "INTERRUPTED" if limits.interrupts else "FAILED"
        duration_s = (limits.job_s or 0) + limits.grace_s + job_watch.TO_SAY_SO_S  # by the clock that has ended it
        facts = {"status": status, "duration_s": duration_s, "error": error, KILLED_BY: US}
        write_line(self._run, "job_ended", facts, identity)
        _log.error("Job %d is %s: %s.", job.job_num, status, message)
        return error


def _of_the_job(where: str) -> str:
    """What `faulthandler` wrote, without the thread that watched, and without the frames that the task function is below."""
    threads = [each for each in where.split("\n\n") if _WATCHES not in each]
    return "\n\n".join(
        "\n".join(itertools.takewhile(lambda line: job_watch.CALLS_IT not in line, thread.rstrip().splitlines()))
        for thread in threads
    )


class OthersAgain(Policy):
    """Starts those again that were lost with a pool of which one worker was killed, unless somebody else has seen to them.

    Args:
        limit: what knows of it.
    """

    place = 35

    def __init__(self, limit: TimeLimit) -> None:
        self._limit = limit

    def after(self, launched: Round) -> Next | None:
        """Nothing, where no job was killed because it took too long."""
        if self._limit.ended is None:
            return None
        killed, became = self._limit.ended
        failed = {num: JobTimeoutError(error.message) for num, error in killed.items()} | {
            num: RuntimeError(error.headline) for num, error in became.failed.items() if num not in killed
        }
        answers = {**became.done, **{num: _failed(launched, num, error) for num, error in failed.items()}}
        for what, jobs in (
            ("Lost with the worker that was killed, and started again", became.killed),
            ("Started now, for the launcher gave up before", became.unstarted),
            (VALUELESS_AGAIN, became.valueless),
        ):
            again = (jobs & launched.batch.keys()) - killed.keys()
            if again:
                _log.warning("%s: %s", what, wording.named_jobs(again))
        lost = sorted(((became.lost | became.valueless) & launched.batch.keys()) - killed.keys())
        return Next(
            {num: launched.batch[num] for num in lost}, {num: each for num, each in answers.items() if num in launched.batch}
        )


def _failed(launched: Round, num: int, error: Exception) -> JobReturn:
    home = launched.returned.get(num)
    if home is not None:
        return home
    return JobReturn(overrides=list(launched.batch.get(num, ())), status=JobStatus.FAILED, _return_value=error)


def not_started(jobs: str, count: int, deadline: Deadline, root: Path) -> str:
    """What is said where the time of a sweep is over.

    Args:
        jobs: which were not started, as they are called.
        count: how many that is.
        deadline: when it was over.
        root: the sweep's directory.
    """
    were = "s" if count > 1 else ""
    return printable(
        f"Job{were} {jobs} {'were' if were else 'was'} not started, nor is any that would follow: {deadline}.\n"
        f"To run what is left: hydra-callback-kit rerun {shlex.quote(str(root))} --missing"
    )
