"""Folds the journal's lines into records: the same answer in any order of the lines, and for repeated lines."""

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from hydra_callback_kit.journal.asked import EVENT as JOBS_ASKED
from hydra_callback_kit.journal.fate import Fates
from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.handed_on import EVENT as JOBS_HANDED_ON
from hydra_callback_kit.journal.handed_on import HandedOn, handed_on_by, still_waiting, with_handed_on
from hydra_callback_kit.journal.launched import LaunchedJobs
from hydra_callback_kit.journal.life import Lookout, Sight, batch_id
from hydra_callback_kit.journal.masking import is_marked, with_the_marks_of
from hydra_callback_kit.journal.metric import metrics_in
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.rank_fold import error_in, rank_records, with_ranks
from hydra_callback_kit.journal.records import AttemptRecord, BrokenLine, JobRecord, RunRecord
from hydra_callback_kit.journal.span import Line, Span
from hydra_callback_kit.journal.values import as_text, measured

MAX_ATTEMPTS: Final = 1_000_000
"""No job is started more often: a larger number was not counted but damaged."""

_JOB_FACTS = frozenset(
    ("job_id", "job_name", "overrides", "output_dir", "status", "return_value", "error", "duration_s", "rerun")
) | {"files", "attempt_number", "world_size", "requeued", "metrics", "metrics_file"}
_RUN_FACTS = frozenset(("mode", "duration_s", "planned_jobs", "files"))


class RunFold:
    """The lines of one run, folded as they come.

    Args:
        run_id: the run's name.
        without: names of facts that are not kept.
    """

    def __init__(self, run_id: str, without: Collection[str] = ()) -> None:
        self._run_id = run_id
        self._without = frozenset(without)
        self._run = Span("")
        self._launched = LaunchedJobs()
        self._jobs: dict[int, Span] = {}
        self._ranks: dict[tuple[int, str], dict[int, Span]] = {}  # those that work for an attempt at a job
        self._starts: list[tuple[str, ProcessIdentity]] = []
        self._enders: set[ProcessIdentity] = set()
        self._handed_on: list[HandedOn] = []
        self._others: dict[tuple[int, str], Span] = {}  # attempts at jobs that have several, but for the last that was met
        # lines repeat the same few processes and lists of names: one of each is kept
        self._processes: dict[tuple[str, int, str | None], ProcessIdentity] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def add(self, line: Line) -> None:
        """Takes one line that `reader.parse_line` has checked."""
        stated = line["facts"]
        if not self._without.isdisjoint(stated):
            for name in self._without:
                stated.pop(name, None)
        names = tuple(stated)
        names = self._names.setdefault(names, names)
        who = line["host"], line["pid"], line["born"]
        process = self._processes.get(who)
        if process is None:
            process = self._processes[who] = ProcessIdentity(*who)
        job = line.get("job")
        if job is None:
            self._add_of_run(line, names, process)
            return
        attempt: str = line["attempt"]
        if line["event"].startswith("rank_"):
            ranks = self._ranks.setdefault((job, attempt), {})
            ranks.setdefault(line["rank"], Span(attempt)).add(line, names, process)
            return
        span = self._jobs.get(job)
        if span is None:
            span = self._jobs[job] = Span(attempt)
        elif span.attempt != attempt:
            other = self._others.get((job, attempt))
            if other is None:
                self._others[job, span.attempt] = span
                other = self._jobs[job] = Span(attempt, span)
            span = other
        span.add(line, names, process)

    def _add_of_run(self, line: Line, names: tuple[str, ...], process: ProcessIdentity) -> None:
        event = line["event"]
        if event in ("jobs_launched", "jobs_returned"):
            self._launched.add(line)
            return
        if event == JOBS_ASKED:
            return  # who compares jobs reads them by themselves
        if event == JOBS_HANDED_ON:
            self._handed_on += handed_on_by(line, process)
            return
        self._run.add(line, names, process)
        if event == "run_started":
            self._starts.append((line["time"], process))
        elif event == "run_ended":
            self._enders.add(process)

    def record(self, root: Path, broken_lines: Iterable[BrokenLine], sight: Sight, *, has_ended: bool = False) -> RunRecord:
        """Makes the record, once: what was folded is given up to it.

        Args:
            root: where the journal lies.
            broken_lines: the journal's lines that could not be read.
            sight: what can be found out about processes.
            has_ended: whether the run is known to have ended, although no line may say so.

        Returns:
            The run and its jobs, in the order of their numbers.
        """
        run, planned = self._run, self._run.get("planned_jobs", int)
        # without the parent's lines (its disk was full, say), the jobs decide
        parent = max(self._starts, key=str)[1] if self._starts else None
        # one that was started again, by a batch system say, has not
        ended = has_ended or (run.ended_at is not None and (parent is None or parent in self._enders))
        host = parent.host if parent else run.process.host if run.process else None
        lookout = Lookout(root, sight, host)
        fates = Fates(run, parent, lookout, ended=ended, at_its_end=has_ended)
        # each span goes as its record comes, so that a large run is not held twice
        launched = self._launched.jobs()
        jobs = tuple(
            [_job_record(num, self._jobs.pop(num), root, fates, self._ranks, launched) for num in sorted(self._jobs)]
        )
        handed_on = still_waiting(self._handed_on, {job.job_num: job.attempts for job in jobs}, run.facts, root, lookout)
        handed = {each.job_num for each in self._handed_on}
        queue = with_handed_on(fates.queue(jobs, planned, root, self._launched.returned(), handed), handed_on)
        status = fates.status(jobs, self._launched.expected(planned, [job.job_num for job in jobs]), queue)
        return RunRecord(
            run_id=self._run_id,
            root=root,
            mode="MULTIRUN" if run.get("mode", str) == "MULTIRUN" or len(jobs) > 1 else "RUN",
            status=status,
            jobs=jobs,
            over=fates.over,
            handed_on=tuple(handed_on),
            process=parent,
            started_at=run.started_at or min((job.started_at for job in jobs if job.started_at), default=None),
            ended_at=run.ended_at if ended else None,
            duration_s=measured(run.facts.get("duration_s")) if ended else None,
            planned_jobs=planned,
            host=host,
            silent_since=fates.silent_since(jobs, queue) if status == "RUNNING" else None,
            queue=queue,
            launched=launched,
            elsewhere=self._launched.elsewhere,
            facts=run.others(_RUN_FACTS),
            broken_lines=tuple(broken_lines),
        )


def _job_record(
    num: int,
    last: Span,
    root: Path,
    fates: Fates,
    ranks: Mapping[tuple[int, str], Mapping[int, Span]],
    launched: Mapping[int, tuple[str, ...]],
) -> JobRecord:
    first = last
    before: list[Span] = []
    if last.another is not None:
        *before, last = sorted(_attempts(last), key=_place_of_attempt)
        first = before[0]
    earlier = tuple(map(_earlier, before))
    attempts = max(1 + len(earlier), number_of_attempt(last.facts))
    facts, process = last.facts, last.process
    status, life = facts.get("status"), None
    ended = status in ("COMPLETED", "FAILED", "INTERRUPTED")
    if not ended:
        status, life = fates.of_job(last)
    overrides = _overrides(last)
    if any(map(is_marked, overrides)):
        never_started = first is last and facts.get("rerun") is True  # before `rerun` started it
        overrides = with_the_marks_of(launched.get(num, ()) if never_started else _overrides(first), overrides)
    job_id, first_job_id = _launchers_id(last), _launchers_id(first)
    record = JobRecord(
        job_num=num,
        status=cast("Status", status),
        task_overrides=overrides,
        return_value=facts.get("return_value"),
        error=error_in(last),
        job_id=job_id,
        job_name=last.get("job_name", str),
        started_at=last.started_at,
        ended_at=last.ended_at,
        duration_s=measured(facts.get("duration_s")),
        attempts=attempts,
        host=process.host if process else None,
        pid=process.pid if process else None,
        born=process.born if process else None,
        waits=life == "waits",
        silent_since=last.last_said() if status == "RUNNING" and life is None and not ended else None,
        root=root,
        subdir=last.get("output_dir", str),
        facts=last.others(_JOB_FACTS),
        metrics=metrics_in(facts["metrics"]) if "metrics" in facts else {},
        metrics_file=last.get("metrics_file", str),
        reported_by=tuple(attempt.attempt for attempt in (*before, last)) if "metrics_file" in facts else (),
        world_size=last.get("world_size", int),
        is_rank="world_size" in facts,
        first_job_id=first_job_id if first_job_id != job_id else None,
        rerun=facts.get("rerun") is True,
        earlier=earlier,
    )
    at_it = ranks.get((num, last.attempt)) if ranks else None
    if at_it is None:
        return record
    left = [rank.process for rank in at_it.values() if rank.process and rank.ended_at is None]
    lives = record.status == "INTERRUPTED" and any(fates.lives(process, last) for process in left)
    return with_ranks(record, rank_records(at_it, functools.partial(fates.is_gone, attempt=last)), lives=lives)


def _attempts(span: Span | None) -> Iterator[Span]:
    while span is not None:
        yield span
        span = span.another


def _earlier(attempt: Span) -> AttemptRecord:
    status, process = attempt.get("status", str), attempt.process
    return AttemptRecord(
        status=cast("Status", status) if status in ("COMPLETED", "FAILED") else "INTERRUPTED",
        task_overrides=_overrides(attempt),
        error=error_in(attempt),
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        duration_s=measured(attempt.facts.get("duration_s")),
        host=process and process.host,
    )


def _launchers_id(attempt: Span) -> str | None:
    """What the launcher calls an attempt. `rerun` gives it a name of its own, but what started it on a cluster is Slurm."""
    batch = batch_id(attempt.facts, {}) if attempt.facts.get("rerun") else None
    return attempt.get("job_id", str) if batch is None else batch.job


def _overrides(attempt: Span) -> tuple[str, ...]:
    return tuple([each if type(each) is str else as_text(each) for each in attempt.get("overrides", list) or ()])


def _place_of_attempt(span: Span) -> tuple[int, str, str, str]:
    """What orders the attempts at a job: those that followed others know it, whatever the clock of their machine says."""
    return number_of_attempt(span.facts), span.started_at or "", span.ended_at or "", span.attempt


def number_of_attempt(facts: Mapping[str, Any]) -> int:
    """The number that an attempt at a job has by the facts of its start; 1 for one that follows no other."""
    number = facts.get("attempt_number")
    return number if type(number) is int and 0 < number <= MAX_ATTEMPTS else 1
