"""The records: what is known of a run and of its jobs, once the journal has been read."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.format import Mode, Status
from hydra_callback_kit.journal.handed_on import HandedOn
from hydra_callback_kit.journal.kinds import is_pruned
from hydra_callback_kit.journal.metric import Metric
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.queue import EMPTY, Queue


@dataclass(slots=True)
class RankRecord:
    """One of the processes of a distributed job.

    Attributes:
        rank: its number; 0 is the process that is the job, the others work for it.
        status: as of a job. `INTERRUPTED`: it is known to be gone, and has not said how it ended.
        host: the machine it ran on.
        pid: its process there.
        started_at: UTC, ISO 8601; None if the start was not recorded.
        ended_at: UTC, ISO 8601; None without an end.
        duration_s: seconds from start to end, by a monotonic clock; None without an end.
        error: why it failed; None if it did not.
        facts: what callbacks added there, by name.
        born: what the operating system says of that process's start; None where it says nothing.
    """

    rank: int
    status: Status
    host: str | None = None
    pid: int | None = None
    started_at: str | None = None
    ended_at: str | None = None
    duration_s: float | None = None
    error: JobError | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    born: str | None = None


class AttemptRecord(NamedTuple):
    """An attempt at a job that another one has followed.

    Attributes:
        status: `COMPLETED`, `FAILED`, or `INTERRUPTED`: it came to no end.
        task_overrides: the overrides that it had, secrets redacted: those of a later attempt may be others.
        error: why it failed; None if it did not.
        started_at: UTC, ISO 8601; None if the start was not recorded.
        ended_at: UTC, ISO 8601; None without an end.
        duration_s: seconds from start to end, by a monotonic clock; None without an end.
        host: the machine that it ran on.
    """

    status: Status
    task_overrides: tuple[str, ...] = ()
    error: JobError | None = None
    started_at: str | None = None
    ended_at: str | None = None
    duration_s: float | None = None
    host: str | None = None


@dataclass(slots=True)  # not frozen: that makes it slower to define and four times as slow to build
class JobRecord:
    """One job, as its last attempt left it.

    Attributes:
        job_num: index in the sweep; 0 for a single run.
        status: `COMPLETED`, `FAILED`, `INTERRUPTED` (it started, and neither ended nor can end) or `RUNNING`.
        task_overrides: the overrides as Hydra passed them, secrets redacted.
        return_value: what the task function returned.
        error: why it failed; None if it did not.
        job_id: what the launcher calls the job, and Slurm one that `rerun` has started there; None for a single run.
        first_job_id: what the launcher called it when it was started first, where it was started again under another name.
        job_name: `hydra.job.name`.
        started_at: UTC, ISO 8601; None if the start was not recorded.
        ended_at: UTC, ISO 8601; None while it runs, and for a job that was interrupted.
        duration_s: seconds from start to end, by a monotonic clock; None without an end.
        attempts: how often the job was started.
        host: the machine it ran on.
        pid: the process it ran in.
        born: what the operating system says of that process's start; None where it says nothing.
        waits: whether it is `RUNNING` because the batch system has put it back into its queue, or is about to start it
            again.
        silent_since: UTC, ISO 8601: of a job that is `RUNNING` because nobody knows whether its process lives, when that was
            last heard of; None for any other.
        root: the directory that holds the journal.
        subdir: the job's output directory relative to `root`, or an absolute path where it lies elsewhere.
        facts: what callbacks added, by name.
        metrics: what the task function reported by `report_metrics` while it ran, by name.
        metrics_file: the file of the points, relative to the job's output directory; None if it reported none.
        reported_by: the attempts whose points in that file are this job's.
        world_size: of how many processes a distributed job is; None for one that is one process.
        ranks: those of them that left a record, in the order of their numbers, as each ended by itself.
        is_rank: whether it was started as one of them. The job of a library that starts the others itself was not.
        rerun: whether `rerun` has started it last, by itself.
        earlier: the attempts before the last, as far as they are on record, the first of them first.
    """

    job_num: int
    status: Status
    task_overrides: tuple[str, ...] = ()
    return_value: Any = None
    error: JobError | None = None
    job_id: str | None = None
    job_name: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    duration_s: float | None = None
    attempts: int = 1
    host: str | None = None
    pid: int | None = None
    born: str | None = None
    waits: bool = False
    silent_since: str | None = None
    root: Path = Path()
    subdir: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    metrics_file: str | None = None
    reported_by: tuple[str, ...] = ()
    world_size: int | None = None
    ranks: tuple[RankRecord, ...] = ()
    first_job_id: str | None = None
    is_rank: bool = False
    rerun: bool = False
    earlier: tuple[AttemptRecord, ...] = ()

    @property
    def output_dir(self) -> Path | None:
        """The job's output directory, below where the journal lies now."""
        return None if self.subdir is None else self.root / self.subdir

    @property
    def pruned(self) -> bool:
        """Whether it is `FAILED` because its task function raised `optuna.TrialPruned`: a search has given it up."""
        return self.status == "FAILED" and self.error is not None and is_pruned(self.error.kinds)

    @property
    def overrides(self) -> dict[str, Any]:
        """The overrides as a mapping from key to typed value."""
        if not self.task_overrides:
            return {}
        from hydra_callback_kit.journal.overrides import typed_overrides  # noqa: PLC0415  many runs have none

        return typed_overrides(self.task_overrides)


class BrokenLine(NamedTuple):
    """A line of the journal that could not be read.

    Attributes:
        file: the journal file.
        line_number: 1 for the first line.
        reason: what is wrong with it.
    """

    file: Path
    line_number: int
    reason: str

    def __str__(self) -> str:
        """File, line number and reason, as editors and terminals make links of them."""
        return f"{self.file}:{self.line_number}: {self.reason}"


@dataclass(slots=True)  # as above
class RunRecord:
    """One run: a single run or a sweep, and its jobs in the order of their numbers.

    Attributes:
        run_id: the run's name; later runs sort after earlier ones.
        root: the directory that holds the journal: the output directory of a single run, or the sweep's.
        mode: `RUN` or `MULTIRUN`.
        status: `RUNNING` while the parent process or a job lives, or may live or come; `FAILED` if the run or all planned
            jobs ended and a job failed, the job of a single run failed, or a callback aborted it before its first job (the
            fact `aborted` says why); `INTERRUPTED` if a job was interrupted, some planned jobs never started, or the parent
            went without ending it and it is not known how many were planned; else `COMPLETED`.
        jobs: the jobs that started.
        started_at: UTC, ISO 8601; None if the start was not recorded.
        ended_at: UTC, ISO 8601; None without an end.
        duration_s: seconds from start to end, by a monotonic clock; None without an end.
        planned_jobs: how many jobs the sweep was going to have; None for a single run and where the sweeper did not say.
        host: the machine that its parent process ran on.
        silent_since: UTC, ISO 8601: of a run that is `RUNNING` because nobody knows better, when it was last heard of; None
            for any other.
        queue: the jobs that have not started, have nobody any more to launch them, and may start all the same.
        launched: the overrides of each job that was handed to the launcher, by its number, secrets redacted; empty where
            nobody kept count, as under a launcher whose jobs write into the sweep's directory themselves.
        elsewhere: whether those jobs may have run on machines that do not share the disk: they may have left no line here.
        facts: what is known of the run besides: `command`, `cwd`, `overrides`, versions, and what callbacks added.
        broken_lines: the journal's lines that could not be read.
        over: whether its parent process has ended it, or is known to be gone.
        handed_on: the jobs that `rerun` has handed on, and that have not started since but may.
        process: its parent process, the one that started it last; None if that is not on record.
    """

    run_id: str
    root: Path
    mode: Mode
    status: Status
    jobs: tuple[JobRecord, ...] = ()
    started_at: str | None = None
    ended_at: str | None = None
    duration_s: float | None = None
    planned_jobs: int | None = None
    host: str | None = None
    silent_since: str | None = None
    queue: Queue = EMPTY
    launched: dict[int, tuple[str, ...]] = field(default_factory=dict)
    elsewhere: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    broken_lines: tuple[BrokenLine, ...] = ()
    over: bool = False
    handed_on: tuple[HandedOn, ...] = ()
    process: ProcessIdentity | None = None

    @property
    def took_s(self) -> float | None:
        """Seconds from its start to its end; to that of the last job, by the clocks, where jobs outlived its process."""
        last = max((job.ended_at for job in self.jobs if job.ended_at and not job.rerun), default=None)
        known = self.status in ("COMPLETED", "FAILED") or (self.status == "INTERRUPTED" and self.ended_at is not None)
        if not known or last is None or self.started_at is None or (self.ended_at is not None and last <= self.ended_at):
            return self.duration_s
        return max(0.0, (datetime.fromisoformat(last) - datetime.fromisoformat(self.started_at)).total_seconds())

    def count(self, status: Status) -> int:
        """Counts the jobs of a status."""
        return sum(job.status == status for job in self.jobs)
