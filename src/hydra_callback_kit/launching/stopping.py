"""Ends a run and its jobs: gently, then hard, and only what is on record as theirs."""

import os
import shutil
import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from hydra_callback_kit.journal.batch_system import Slurm, answer_of
from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.job_numbers import joined_numbers
from hydra_callback_kit.journal.life import batch_id, launcher_of
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive, this_process
from hydra_callback_kit.journal.queue import submitit_folders
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.signalling import (
    GENTLY,
    HARD,
    HARD_WITHIN_S,
    LOOKS_EVERY_S,
    descendants,
    is_certain,
    is_gone_by,
    send,
)
from hydra_callback_kit.launching.started_by import StartedBy

_READS_EVERY_S: Final = 1.0
"""How long it takes until the record is read again while nothing has ended: a job may have started since."""


_MOST_AT_ONCE: Final = 500
"""Jobs that Slurm is told of by one command."""

_ANSWERS_WITHIN_S: Final = 60.0
"""How long a busy Slurm is waited for that tries it again and again."""

_SLURM_KILLS_WITHIN_S: Final = 120.0
"""How long what Slurm was told to cancel may take: by default it kills 30 s later, and then cleans up."""

Read = Callable[[], RunRecord]
Say = Callable[[str], None]


class _Who(NamedTuple):
    """What a process is to the run.

    Attributes:
        is_parent: whether it is the one that has started the run.
        jobs: the numbers of the jobs that it runs.
        rank: which of a job's processes it is, if the job has several.
    """

    is_parent: bool = False
    jobs: tuple[int, ...] = ()
    rank: int = 0


class Stopping:
    """Ends one run.

    Args:
        read: reads its record, as it stands at that moment.
        say: is told what is done.
        after_s: how long after the gentle signal the hard one comes, in seconds.
    """

    def __init__(self, read: Read, say: Say, after_s: float) -> None:
        self._read = read
        self._say = say
        self._after_s = after_s
        self._told: dict[ProcessIdentity, _Who] = {}
        self._hard_at_s: dict[ProcessIdentity, float] = {}
        self._not_ours: set[ProcessIdentity] = set()
        self._batch = _BatchJobs(say)
        self._started = StartedBy()

    def end(self) -> RunRecord:
        """Ends it, and waits until nothing of it runs any more, or nothing that can be reached from here.

        Returns:
            Its record afterwards.
        """
        hard_s = float("inf")
        while (run := self._read()).status == "RUNNING":
            # the time begins with the first signals: to read a long record may take longer than it
            batch_hard = time.monotonic() >= hard_s or not self._after_s
            within_s = _SLURM_KILLS_WITHIN_S if self._batch.are_being_killed else HARD_WITHIN_S
            if time.monotonic() > max([hard_s, *self._hard_at_s.values()]) + within_s:
                break
            others = {process: who for process, who in _processes(run).items() if process != this_process()}
            here = {process: who for process, who in others.items() if is_certain(process)}
            self._started.note(here)
            self._signal(run, here)
            left = [process for process in here if process not in self._not_ours]
            if not self._batch.end(run, hard=batch_hard) and not left and not _may_come_here(run):
                break
            hard_s = min(hard_s, time.monotonic() + self._after_s)
            self._wait(left, min([time.monotonic() + _READS_EVERY_S, *self._still_to_come(hard_s)]))
        until_s = min(hard_s, time.monotonic() + self._after_s)
        self._see_off(until_s)
        self._started.end(self._say, until_s)
        # what was on record before Slurm was asked may be from before a job has said its last word
        return self._read() if run.status == "RUNNING" else run

    def _see_off(self, until_s: float) -> None:
        """Waits for the run's process, which takes a while to leave after its last word, or goes on with something else."""
        for process, who in self._told.items():
            if who.is_parent and process not in self._not_ours and not is_gone_by(process, until_s):
                does = "still uploads its files" if _uploads(self._read()) else "goes on with something else"
                self._say(f"The run has ended, and its process ({process.pid}) {does}.")

    def _still_to_come(self, hard_s: float) -> list[float]:
        """When hard signals are due that have not been sent."""
        now_s = time.monotonic()
        return [at_s for at_s in (hard_s, *self._hard_at_s.values()) if at_s > now_s]

    def _signal(self, run: RunRecord, here: dict[ProcessIdentity, _Who]) -> None:
        """Sends what is due: what comes up late has as long as the others, from its own gentle signal on."""
        waits_for_driver = launcher_of(run.facts) == "ray" and any(who.is_parent for who in here.values())
        # jobs first: what has started them may kill them otherwise, before they can say that they were interrupted
        for process, who in sorted(here.items(), key=lambda each: each[1].is_parent):
            is_news = bool({*who.jobs} - {*self._told.get(process, _Who()).jobs}) or process not in self._told
            at_once = self._hard_at_s.setdefault(process, time.monotonic() + self._after_s) <= time.monotonic()
            # Ray starts again what is interrupted by itself
            if is_news and not at_once and not (waits_for_driver and not who.is_parent):
                self._send(process, who, GENTLY)
        due = {process: who for process, who in here.items() if self._hard_at_s[process] <= time.monotonic()}
        if not due:
            return
        spared = [process for process in here if process not in due]
        for process in {*descendants(list(due))} - {*here, *descendants(spared)}:
            due[process] = _Who()
        for process, who in sorted(due.items(), key=lambda each: not each[1].is_parent):
            self._send(process, who, HARD)

    def _send(self, process: ProcessIdentity, who: _Who, number: int) -> None:
        self._told[process] = who
        try:
            was_sent = send(process, number)
        except PermissionError:
            if process not in self._not_ours:
                self._say(f"Process {process.pid} ({_what(who)}) is another user's: it was left alone.")
            self._not_ours.add(process)
            return
        if was_sent and (number == GENTLY or who != _Who()):
            self._say(f"{'Interrupted' if number == GENTLY else 'Killed'}: {_what(who)} (process {process.pid}).")

    def _wait(self, processes: Iterable[ProcessIdentity], until_s: float) -> None:
        waited_for = list(processes)
        while time.monotonic() < until_s:
            time.sleep(LOOKS_EVERY_S)
            if waited_for and not all(map(is_alive, waited_for)):
                return


class _BatchJobs:
    """The jobs of a run that Slurm has."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._told: dict[str, str] = {}
        self.are_being_killed = False

    def end(self, run: RunRecord, *, hard: bool) -> bool:
        """Ends those that wait at once, and those that run gently or hard; tells whether there are any left."""
        left = _batch_jobs(run)
        waiting = [job for job, state in left.items() if hard or state == "waits"]
        # first, and many at once: Slurm starts what waits in the place of what has ended
        self._tell(waiting, "cancelled")
        self._tell([job for job in left if job not in {*waiting}], "interrupted", "--signal=INT")
        if hard and left and not self.are_being_killed:
            self._say("Slurm is ending what is left, which may take a while.")
        self.are_being_killed = hard and bool(left)
        return bool(left)

    def _tell(self, jobs: Iterable[str], wanted: str, *options: str) -> None:
        news = [job for job in jobs if self._told.get(job) != wanted]
        self._told.update(dict.fromkeys(news, wanted))
        for start in range(0, len(news), _MOST_AT_ONCE):
            some = news[start : start + _MOST_AT_ONCE]
            which = f"Slurm's job{'s' if len(some) > 1 else ''} {', '.join(some)}"
            words = ("scancel", *options, *some)
            if answer_of(*words, timeout_s=_ANSWERS_WITHIN_S) is None:
                verb = "were" if len(some) > 1 else "was"
                self._say(f"Slurm did not say that {which} {verb} {wanted}. If it goes on, type: {' '.join(words)}")
            else:
                self._say(f"{wanted.capitalize()}: {which}.")


def _batch_jobs(run: RunRecord) -> dict[str, str]:
    """The ids of a run's jobs that Slurm still has, and how each stands."""
    if shutil.which("scancel") is None:
        return {}
    of_jobs = [batch_id(job.facts, run.facts) for job in run.jobs if job.status == "RUNNING"]
    known = {batch.job: batch.cluster for batch in of_jobs if batch is not None and batch.own}
    known |= {each.batch_job: each.cluster for each in run.handed_on if each.batch_job is not None}
    if launcher_of(run.facts) == "submitit_slurm":
        known = dict.fromkeys(submitit_folders(run.root, run.started_at)) | known
    if not known:
        return {}
    slurm, owner = Slurm(), (run.root / JOURNAL_DIR).stat().st_uid
    found = {job: slurm.about(job, owner, cluster) for job, cluster in known.items() if owner == os.getuid()}
    return {job: each.state for job, each in found.items() if each is not None and each.state != "gone"}


def out_of_reach(run: RunRecord) -> dict[ProcessIdentity, str]:
    """The processes of a run that may still run and cannot be ended from here, and what each is."""
    return {process: _what(who) for process, who in _processes(run).items() if is_alive(process) is not False}


def _processes(run: RunRecord) -> dict[ProcessIdentity, _Who]:
    found: dict[ProcessIdentity, _Who] = {}
    if run.process is not None and not run.over:
        found[run.process] = _Who(is_parent=True)
    for job in run.jobs:
        process = _process_of(job)
        if process is not None:
            who = found.get(process, _Who())
            found[process] = who._replace(jobs=(*who.jobs, job.job_num))
        if job.status == "RUNNING":
            for rank in job.ranks:
                if rank.status == "RUNNING" and rank.host is not None and rank.pid is not None:
                    found.setdefault(ProcessIdentity(rank.host, rank.pid, rank.born), _Who(False, (job.job_num,), rank.rank))
    return found


def _uploads(run: RunRecord) -> bool:
    """Whether its files are to be sent somewhere, and nothing is on record of that they have been."""
    fact = run.facts.get("uploaded")
    return type(fact) is dict and "files" not in fact


def _process_of(job: JobRecord) -> ProcessIdentity | None:
    if job.status != "RUNNING" or job.waits or job.host is None or job.pid is None:
        return None
    return ProcessIdentity(job.host, job.pid, job.born)


def _may_come_here(run: RunRecord) -> bool:
    """Whether jobs that this machine has been given already have yet to start."""
    return launcher_of(run.facts) in ("submitit_local", "joblib") and any(run.queue)


def _what(who: _Who) -> str:
    if who.rank:
        return f"rank {who.rank} of job {joined_numbers(who.jobs, ', ')}"
    jobs = f"job{'s' if len(who.jobs) > 1 else ''} {joined_numbers(who.jobs, ', ')}" if who.jobs else ""
    return " with ".join(filter(None, ("the run's process" if who.is_parent else "", jobs))) or "what they have started"
