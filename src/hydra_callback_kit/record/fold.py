"""Folds the journal's lines into records: the same answer in any order of the lines, and for repeated lines."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from hydra_callback_kit.record.process import ProcessIdentity
from hydra_callback_kit.record.records import BrokenLine, JobError, JobRecord, RunRecord, Status
from hydra_callback_kit.record.values import from_json

Line = Mapping[str, Any]
IsAlive = Callable[[ProcessIdentity], "bool | None"]


class _Facts:
    """Facts by name; of two lines that state the same fact, the later one counts."""

    __slots__ = ("_stated",)

    def __init__(self) -> None:
        self._stated: dict[str, tuple[str, Any]] = {}

    def state(self, time: str, facts: Mapping[str, Any]) -> None:
        for name, value in facts.items():
            known = self._stated.get(name)
            if known is None or _is_later((time, value), known):
                self._stated[name] = time, value

    def get(self, name: str, *kinds: type) -> Any:
        """The fact, decoded; None if it is not stated or not of the kinds it should be."""
        value = from_json(self._stated.get(name, ("", None))[1])
        return value if not kinds or (isinstance(value, kinds) and not isinstance(value, bool)) else None

    def others(self, names: Iterable[str]) -> dict[str, Any]:
        return {name: self.get(name) for name in sorted(self._stated.keys() - set(names))}


def _is_later(a: tuple[str, Any], b: tuple[str, Any]) -> bool:
    """Equal times are settled by the value, so that the order of reading does not matter."""
    return a[0] > b[0] or (a[0] == b[0] and a[1] != b[1] and json.dumps(a[1]) > json.dumps(b[1]))


class _Span:
    """Something that a process starts and ends: a run, or one attempt at a job."""

    __slots__ = ("ended_at", "facts", "process", "started_at")

    def __init__(self) -> None:
        self.started_at: str | None = None
        self.ended_at: str | None = None
        self.process: tuple[str, ProcessIdentity] | None = None
        self.facts = _Facts()

    def add(self, line: Line, what: str) -> None:
        time: str = line["time"]
        self.facts.state(time, line["facts"])
        if line["event"] == f"{what}_started":
            self.started_at = min(self.started_at or time, time)
        elif line["event"] == f"{what}_ended":
            self.ended_at = max(self.ended_at or time, time)
        process = ProcessIdentity(line["host"], line["pid"], line["born"])
        first = self.process
        if first is None or time < first[0] or (time == first[0] and str(process) < str(first[1])):
            self.process = time, process


_JOB_FACTS = ("job_id", "job_name", "overrides", "output_dir", "status", "return_value", "error", "duration_s", "rerun")
_RUN_FACTS = ("mode", "duration_s", "planned_jobs")


class RunFold:
    """The lines of one run, folded as they come.

    Args:
        run_id: the run's name.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._run = _Span()
        self._jobs: dict[int, dict[str, _Span]] = {}

    def add(self, line: Line) -> None:
        """Takes one line that `reader.parse_line` has checked."""
        job = line.get("job")
        if job is None:
            self._run.add(line, "run")
        else:
            self._jobs.setdefault(job, {}).setdefault(line["attempt"], _Span()).add(line, "job")

    def record(self, root: Path, broken_lines: Iterable[BrokenLine], is_alive: IsAlive) -> RunRecord:
        """Makes the record.

        Args:
            root: where the journal lies.
            broken_lines: the journal's lines that could not be read.
            is_alive: tells whether a process still runs.

        Returns:
            The run and its jobs, in the order of their numbers.
        """
        alive = _Asked(is_alive)
        run = self._run
        # without the parent's lines (its disk was full, say), the jobs decide
        parent = run.process[1] if run.started_at is not None and run.process is not None else None
        planned: int | None = run.facts.get("planned_jobs", int)
        over = run.ended_at is not None or (parent is not None and alive.is_gone(parent))
        jobs = tuple(
            _job_record(num, attempts, root, alive, run_ended=run.ended_at is not None)
            for num, attempts in sorted(self._jobs.items())
        )
        return RunRecord(
            run_id=self._run_id,
            root=root,
            mode="MULTIRUN" if run.facts.get("mode", str) == "MULTIRUN" or len(jobs) > 1 else "RUN",
            status=_run_status(run, jobs, planned, over=over),
            jobs=jobs,
            started_at=run.started_at or min((job.started_at for job in jobs if job.started_at), default=None),
            ended_at=run.ended_at,
            duration_s=run.facts.get("duration_s", int, float),
            planned_jobs=planned,
            facts=run.facts.others(_RUN_FACTS),
            broken_lines=tuple(broken_lines),
        )


class _Asked:
    """Asks once per process whether it is gone; one that can't be seen from here is taken to be there."""

    def __init__(self, is_alive: IsAlive) -> None:
        self._is_alive = is_alive
        self._answers: dict[ProcessIdentity, bool] = {}

    def is_gone(self, process: ProcessIdentity) -> bool:
        if process not in self._answers:
            self._answers[process] = self._is_alive(process) is False
        return self._answers[process]


def _run_status(run: _Span, jobs: Collection[JobRecord], planned: int | None, *, over: bool) -> Status:
    statuses = {job.status for job in jobs}
    if "RUNNING" in statuses or (not over and run.started_at is not None):
        return "RUNNING"
    # what the run's own process left undone, jobs that were run again may have done
    if statuses <= {"COMPLETED"} and len(jobs) >= (planned or 0) and (run.ended_at is not None or planned is not None):
        return "COMPLETED"
    if run.ended_at is None or statuses <= {"COMPLETED"}:
        return "INTERRUPTED"
    return "FAILED"


def _job_record(num: int, attempts: Mapping[str, _Span], root: Path, alive: _Asked, *, run_ended: bool) -> JobRecord:
    _, last = max(attempts.items(), key=lambda item: (item[1].started_at or "", item[1].ended_at or "", item[0]))
    facts = last.facts
    process = last.process[1] if last.process else None
    status = facts.get("status", str)
    if status not in ("COMPLETED", "FAILED", "INTERRUPTED"):
        # a job that is run again outlives the run it belongs to
        over = process is None or (run_ended and not facts.get("rerun")) or alive.is_gone(process)
        status = "INTERRUPTED" if over else "RUNNING"
    error = facts.get("error", dict)
    output_dir = facts.get("output_dir", str)
    return JobRecord(
        job_num=num,
        status=cast("Status", status),
        task_overrides=tuple(str(override) for override in facts.get("overrides", list) or ()),
        return_value=facts.get("return_value"),
        error=None if error is None else JobError(*(str(error.get(key, "")) for key in ("type", "message", "traceback"))),
        job_id=facts.get("job_id", str),
        job_name=facts.get("job_name", str),
        started_at=last.started_at,
        ended_at=last.ended_at,
        duration_s=facts.get("duration_s", int, float),
        attempts=len(attempts),
        host=process.host if process else None,
        pid=process.pid if process else None,
        output_dir=None if output_dir is None else root / output_dir,
        facts=facts.others(_JOB_FACTS),
    )
