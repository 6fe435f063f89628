"""What the time limits of jobs and of their sweep do between sweeper and launcher."""

import itertools
import os
import shlex
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from hydra.core.utils import JobReturn, JobStatus
from hydra.types import TaskFunction

from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.errors import JobError, error_of
from hydra_callback_kit.journal.format import JournalNotFoundError
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.job_numbers import joined_numbers
from hydra_callback_kit.journal.last_words import take_last_words
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.launching import job_watch
from hydra_callback_kit.launching.limited import Deadline, LimitedTask, Limits, too_long
from hydra_callback_kit.launching.lost import Became, attempts_in, what_became
from hydra_callback_kit.launching.policy import Batch, Next, Policy, Round
from hydra_callback_kit.launching.timeouts import JobTimeoutError, SweepTimeoutError

_log = SafeLogger("hydra_callback_kit.time_limit_callback")

KILLED_BY: Final = "killed_by"
"""The fact of a job whose process was killed: by what."""
US: Final = "time_limit_callback"

_PAUSES_S: Final = (0.05, 5.0)
_MORE_S: Final = 30.0
"""How long jobs that run are waited for beyond their time: those on other machines do not end before our eyes."""

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
    """

    place = 20
    patient = True

    def __init__(self, run: RunIdentity, limits: Limits, stop: Stop) -> None:
        self._run = run
        self._limits = limits
        self._stop = stop
        self._attempts: dict[int, int] | None = None
        self.ended: _Ended | None = None

    def task_of_jobs(self, task_function: TaskFunction) -> TaskFunction:
        """Its time is counted where it is called."""
        return LimitedTask(task_function, self._limits)

    def answers(self, batch: Batch) -> Mapping[int, JobReturn]:
        """None; a batch that comes too late ends the sweep."""
        deadline = self._limits.deadline
        if batch and deadline is not None and deadline.is_over:
            self._stop_without(deadline, batch)
        if self._attempts is None:
            self._attempts = attempts_in(self._record())
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
        return Next(answers={num: each for num, each in home.items() if each.status is not JobStatus.COMPLETED})

    def _stop_without(self, deadline: Deadline, jobs: Collection[int]) -> NoReturn:
        self._stop(not_started(joined_numbers(jobs, ", "), len(jobs), deadline, self._run.root))

    def _how_it_ended(self, launched: Round) -> _Ended | None:
        attempts = self._attempts if self._attempts is not None else {}
        if launched.error is None or self._limits.job_s is None:
            for num in launched.returned:
                attempts[num] = attempts.get(num, 0) + 1
            return None
        became, record = self._settled(launched, attempts)
        self._attempts = attempts_in(record)
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

    def _settled(self, launched: Round, attempts: Mapping[int, int]) -> tuple[Became, RunRecord | None]:
        """What has become of its jobs, once none of them runs: submitit raises as soon as one is lost."""
        until_s = time.monotonic() + (self._limits.job_s or 0) + self._limits.grace_s + job_watch.TO_SAY_SO_S + _MORE_S
        pause_s, longest_s = _PAUSES_S
        while True:
            record = self._record()
            became = what_became(launched, record, attempts, this_process())
            if not became.running or time.monotonic() > until_s:
                return became, record
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)

    def _record(self) -> RunRecord | None:
        try:
            return read_run(self._run.root, self._run.run_id, without=("config",), sight=Sight(batch_system=Slurm()))
        except JournalNotFoundError:
            return None

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
        lost = sorted((became.lost & launched.batch.keys()) - killed.keys())
        if lost:
            _log.warning(
                "Lost with the worker that was killed, and started again: job%s %s",
                "s" if len(lost) > 1 else "",
                joined_numbers(lost, ", "),
            )
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
