"""Follows a run's journal while it grows: each look reads only what is new."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from hydra_callback_kit.journal.batch_job import batch_job
from hydra_callback_kit.journal.fold import number_of_attempt
from hydra_callback_kit.journal.format import MAX_LINE, Status
from hydra_callback_kit.journal.journal_lines import files_of_run
from hydra_callback_kit.journal.kinds import is_pruned
from hydra_callback_kit.journal.life import IsAlive
from hydra_callback_kit.journal.line import BrokenLineError, parse_line
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.process import is_alive as is_process_alive
from hydra_callback_kit.journal.regular_file import open_regular
from hydra_callback_kit.journal.values import as_text

_HEAD: Final = 200
"""Bytes in which a line says what happened; the facts, which may be long, come after."""

_UNREAD: Final = (b'"event":"job_facts"', b'"event":"rank_facts"', b'"event":"run_facts"')


@dataclass(slots=True)
class FollowedJob:
    """One attempt at a job, as far as the journal tells.

    Attributes:
        job_num: which job.
        overrides: the overrides as Hydra passed them, secrets redacted.
        started_at: UTC, ISO 8601; empty if the start was not recorded.
        number: 1 for the first attempt, and for one that does not know of another.
        ended_at: UTC, ISO 8601; empty without an end.
        process: who runs it.
        batch: the batch system's job that it is in, and how often that was started again; None outside of one.
        requeued: whether it was put back into the batch system's queue, to run again.
        status: `COMPLETED`, `FAILED`, or `INTERRUPTED` by Ctrl-C; None without an end.
        error: the type and message of what it failed with.
        bases: the classes that its type comes from.
        failed_rank: whether a rank that works for it has failed: then it fails, however it ends itself.
        file: the name of the journal's file that tells of its start.
    """

    job_num: int
    overrides: tuple[str, ...] = ()
    started_at: str = ""
    number: int = 1
    ended_at: str = ""
    process: ProcessIdentity | None = None
    batch: tuple[str, int] | None = None
    requeued: bool = False
    status: Status | None = None
    error: tuple[str, str] | None = None
    bases: tuple[str, ...] = ()
    failed_rank: bool = False
    file: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of all classes that what it failed with is an instance of; empty where it was killed."""
        return (self.error[0], *self.bases) if self.error else ()

    @property
    def pruned(self) -> bool:
        """Whether its task function raised `optuna.TrialPruned`."""
        return is_pruned(self.kinds)

    @property
    def place(self) -> tuple[int, str]:
        """What orders the attempts at a job."""
        return self.number, self.started_at


class RunFollower:
    """What the journal says of a run's jobs so far.

    Args:
        root: where the journal lies.
        run_id: which run.

    Attributes:
        planned_jobs: how many jobs the sweep is going to have; None if its start was not read yet, or does not say.
        expected_jobs: how many a sweeper that chooses them as it goes is going to try; None where that is not said.
    """

    def __init__(self, root: Path, run_id: str) -> None:
        self.planned_jobs: int | None = None
        self.expected_jobs: int | None = None
        self._root = root
        self._run_id = run_id
        self._read: dict[Path, int] = {}
        self._in_too_long: set[Path] = set()
        self._attempts: dict[int, dict[str, FollowedJob]] = {}
        self._last: dict[int, FollowedJob] = {}
        self._by_status: dict[str | None, dict[int, FollowedJob]] = {}

    def look(self, *, closely: bool = False) -> None:
        """Reads what was written since the last look; what is no line of a journal is passed by.

        A file that has not grown is not opened.

        Args:
            closely: whether those are opened all the same that tell of a job without an end: what another machine has just
                written is seen on NFS once a file is opened, while its size is known some seconds later.

        Raises:
            OSError: if the journal or one of its files cannot be read; then the other files have been.
        """
        unread: OSError | None = None
        unended = {job.file for job in self._by_status.get(None, {}).values()} if closely else ()
        for _ in range(2):
            vanished: OSError | None = None
            for file in files_of_run(self._root, self._run_id):
                try:
                    if file not in self._read or file.name in unended or file.stat().st_size != self._read[file]:
                        self._look_into(file)
                except FileNotFoundError as error:  # it became part of another one since it was listed, see `gathering`
                    vanished = error
                except OSError as error:
                    unread = unread or error
            if vanished is None:
                break
        unread = unread or vanished
        if unread is not None:
            raise unread

    def _look_into(self, file: Path) -> None:
        with open_regular(file) as journal:
            if os.fstat(journal.fileno()).st_size < self._read.get(file, 0):  # it was emptied, and is written again
                self._read[file] = 0
                self._in_too_long.discard(file)
            journal.seek(self._read.get(file, 0))
            while line := journal.readline(MAX_LINE):
                ends = line.endswith(b"\n")
                if not ends and len(line) < MAX_LINE:
                    return  # it is being written, and left for the next look
                self._read[file] = self._read.get(file, 0) + len(line)
                if file not in self._in_too_long:
                    self._add(line.rstrip(b"\n"), file.name)
                (self._in_too_long.discard if ends else self._in_too_long.add)(file)

    def jobs(self, is_alive: IsAlive = is_process_alive) -> dict[Status, list[FollowedJob]]:
        """Tells how the jobs stand, each by its last attempt.

        Args:
            is_alive: tells whether a process still runs.

        Returns:
            The jobs of each status; one without an end is `RUNNING` while its process is there, or cannot be seen from here,
            and where it may be in the queue of a batch system, to run again.
        """
        known = {status: list(jobs.values()) for status, jobs in self._by_status.items() if status is not None}
        jobs: dict[Status, list[FollowedJob]] = {status: known.get(status, []) for status in get_args(Status)}
        alive: dict[ProcessIdentity | None, bool] = {}
        own = batch_job()
        for job in self._by_status.get(None, {}).values():
            if job.process not in alive:
                alive[job.process] = job.process is not None and is_alive(job.process) is not False
            may_wait = job.batch is not None and job.batch != (own and own[:2])
            if job.requeued or alive[job.process] or (may_wait and not job.failed_rank):
                jobs["RUNNING"].append(job)
            else:
                jobs["FAILED" if job.failed_rank else "INTERRUPTED"].append(job)
        return jobs

    def attempts(self, job_num: int) -> int:
        """How often a job was started."""
        return len(self._attempts.get(job_num, {}))

    def _add(self, text: bytes, file: str) -> None:
        head = text[:_HEAD]
        if not text or any(event in head for event in _UNREAD):
            return
        try:
            line = parse_line(text)
        except BrokenLineError:
            return
        facts, event = line["facts"], line["event"]
        if event == "run_started":
            planned, expected = facts.get("planned_jobs"), facts.get("expected_jobs")
            self.planned_jobs = planned if type(planned) is int else None
            self.expected_jobs = expected if type(expected) is int else self.expected_jobs
        if "job" not in line or (event.startswith("rank_") and facts.get("status") != "FAILED"):
            return
        number: int = line["job"]
        attempts = self._attempts.setdefault(number, {})
        attempt = attempts.setdefault(line["attempt"], FollowedJob(number))
        if event.startswith("rank_"):
            attempt.failed_rank = True
            self._sort_in(attempt)
            return
        place = attempt.place
        attempt.process = ProcessIdentity(line["host"], line["pid"], line["born"])
        if event == "job_started":
            attempt.started_at = min(attempt.started_at or line["time"], line["time"])  # as the reader has it
            attempt.number = max(attempt.number, number_of_attempt(facts))
            attempt.overrides = _words(facts.get("overrides"))
            attempt.file = file
            attempt.batch = _batch(facts.get("batch"))
        elif event == "job_requeued":
            attempt.requeued = True
        elif event == "job_ended" and line["time"] >= attempt.ended_at:
            attempt.ended_at, attempt.status = line["time"], facts["status"]
            error = facts.get("error")
            attempt.error = (as_text(error.get("type")), as_text(error.get("message"))) if isinstance(error, dict) else None
            attempt.bases = _words(error.get("bases")) if isinstance(error, dict) else ()
        # it is this one or the one that was the last before, unless this one has turned out to be earlier
        self._count(number, (self._last.get(number, attempt), attempt) if attempt.place >= place else attempts.values())

    def _count(self, number: int, candidates: Iterable[FollowedJob]) -> None:
        """Counts a job by its last attempt, which is one of these."""
        self._last[number] = max(candidates, key=lambda job: job.place)
        self._sort_in(self._last[number])

    def _sort_in(self, job: FollowedJob) -> None:
        if self._last.get(job.job_num) is not job:
            return  # an earlier attempt's rank, or one that was faster than rank 0
        for jobs in self._by_status.values():
            jobs.pop(job.job_num, None)
        ended_as = "FAILED" if job.status is not None and job.failed_rank else job.status
        self._by_status.setdefault(ended_as, {})[job.job_num] = job


def _batch(fact: Any) -> tuple[str, int] | None:
    job, restarts = (fact.get("job"), fact.get("restarts")) if isinstance(fact, dict) else (None, None)
    return (job, restarts) if isinstance(job, str) and isinstance(restarts, int) else None


def _words(fact: Any) -> tuple[str, ...]:
    return tuple(map(as_text, fact)) if isinstance(fact, list) else ()
