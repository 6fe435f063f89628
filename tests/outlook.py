"""What should be known of a history, and what a record says of it, in the same form."""

from typing import Any, NamedTuple

from histories import SLURM, Doing, History, Process

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.records import AttemptRecord, JobRecord, RankRecord, RunRecord


class Eyes(NamedTuple):
    """Who looks: whether what nobody knows is gone for it, and whether it is the run's process, which ends it just now."""

    assume_gone: bool = False
    at_its_end: bool = False


def told(run: RunRecord) -> dict[str, Any]:
    """What a record says."""
    return {
        "run": (run.mode, run.status, run.over, run.started_at, run.ended_at, run.duration_s, run.planned_jobs),
        "process": (run.process, run.host),
        "silent since": run.silent_since,
        "queue": (sorted(run.queue.there), sorted(run.queue.perhaps)),
        "handed on": sorted((each.job_num, each.attempts) for each in run.handed_on),
        "launched": {num: list(overrides) for num, overrides in run.launched.items()},
        "facts": run.facts,
        "jobs": {job.job_num: _of_job(job) for job in run.jobs},
        "broken": run.broken_lines,
    }


def _of_job(job: JobRecord) -> dict[str, Any]:
    return {
        "ends": _ends(job),
        "value": job.return_value,
        "attempts": job.attempts,
        "process": (job.host, job.pid, job.born),
        "waits": job.waits,
        "silent since": job.silent_since,
        "overrides": job.task_overrides,
        "ids": (job.job_id, job.first_job_id, job.job_name, job.subdir, job.rerun),
        "facts": job.facts,
        "size": (job.world_size, job.is_rank),
        "ranks": [(rank.rank, _ends(rank), rank.host, rank.pid, rank.facts) for rank in job.ranks],
        "earlier": [(*_ends(each), each.task_overrides, each.host) for each in job.earlier],
    }


def _ends(of: JobRecord | RankRecord | AttemptRecord) -> tuple[Any, ...]:
    return of.status, of.started_at, of.ended_at, of.duration_s, _message(of.error)


def _message(error: JobError | None) -> str | None:
    return error and error.message


class Outlook:
    """What is known of a history by somebody who looks at it now."""

    def __init__(self, history: History, eyes: Eyes) -> None:
        self._history, self._eyes = history, eyes
        self._outlives = history.launcher in ("rq", SLURM)
        self._ended = eyes.at_its_end or history.has_ended
        self._parent = None if self._ended else self._life(history.parent)
        self._over = self._ended or self._parent == "gone"
        self._workers_live = False

    def told(self) -> dict[str, Any]:
        """What a record should say."""
        history = self._history
        jobs = {num: self._of_job(num, attempts) for num, attempts in sorted(history.jobs.items())}
        handed_on = {each: known for each in history.handed_on if (known := self._handed_on(*each)) is not None}
        there, perhaps = self._queue()
        there |= {num for (num, *_), known in handed_on.items() if known}
        perhaps = (perhaps | {num for num, *_ in handed_on}) - there
        status = self._status({num: job["ends"][0] for num, job in jobs.items()}, waiting=bool(there or perhaps))
        silent = [job["silent since"] for job in jobs.values() if job["ends"][0] == "RUNNING"]
        heard = status != "RUNNING" or self._parent in ("lives", "waits") or there or None in silent
        return {
            "run": (
                "MULTIRUN" if history.launcher else "RUN",
                status,
                self._over,
                history.started_at,
                history.ended_at if self._ended else None,
                history.duration_s if self._ended else None,
                history.planned,
            ),
            "process": (history.parent.who, history.parent.who.host),
            "silent since": None if heard else max([history.spoke_at, *silent]),
            "queue": (sorted(there), sorted(perhaps)),
            "handed on": sorted((num, after) for num, after, _ in handed_on),
            "launched": history.launched,
            "facts": history.facts,
            "jobs": jobs,
            "broken": (),
        }

    def _life(self, process: Process, *, requeued: bool = False) -> str | None:
        task = process.task
        if process.lives and process.seen:
            return "lives"
        if task is not None:
            if task.state != "runs":
                return task.state
            if requeued or task.restarts > process.restarts:
                return "waits" if task.own else "gone"
            if task.own and not process.seen:
                return "lives"
        return "gone" if process.seen or self._eyes.assume_gone else None

    def _of_job(self, num: int, attempts: list[Doing]) -> dict[str, Any]:
        first, last = attempts[0], attempts[-1]
        status, life = (last.status, "") if last.status else self._fate(last)
        error, silent = last.error, last.spoke_at if life is None and status == "RUNNING" else None
        ranks = [(number, *self._of_rank(rank)) for number, rank in sorted(last.ranks.items())]
        own = (0, (status, last.started_at, last.ended_at, last.duration_s, error), *last.process.who[:2], {})
        lives = any(rank.status is None and self._life(rank.process) == "lives" for rank in last.ranks.values())
        if last.status is None and status == "INTERRUPTED" and lives:
            status = "RUNNING"
        if status != "RUNNING":
            failed = [
                (ends[2], f"rank {number} on {host}: {ends[4]}") for number, ends, host, *_ in ranks if ends[0] == "FAILED"
            ]
            if failed and (status != "FAILED" or min(failed)[0] < str(last.ended_at)):
                status, error = "FAILED", min(failed)[1]
            gone = [f"rank {number} on {host}" for number, ends, host, *_ in ranks if ends[0] == "INTERRUPTED"]
            if gone and status == "COMPLETED":
                status, error = "INTERRUPTED", f"{gone[0]}: it is gone, and did not end"
        return {
            "ends": (status, last.started_at, last.ended_at, last.duration_s, error),
            "value": last.value,
            "attempts": len(attempts),
            "process": last.process.who,
            "waits": life == "waits",
            "silent since": silent,
            "overrides": last.overrides,
            "ids": (last.job_id, first.job_id if first.job_id != last.job_id else None, "app", str(num), last.rerun),
            "facts": {name: fact for name, (_, fact) in last.said.items()},
            "size": (3 if last.distributed else None, last.distributed),
            "ranks": [own, *ranks] if ranks else [],
            "earlier": [(*_ends_of(each), each.overrides, each.process.who.host) for each in attempts[:-1]],
        }

    def _of_rank(self, rank: Doing) -> tuple[Any, ...]:
        status = rank.status or ("INTERRUPTED" if self._life(rank.process) == "gone" else "RUNNING")
        facts = {name: fact for name, (_, fact) in rank.said.items()}
        return (status, rank.started_at, rank.ended_at, rank.duration_s, rank.error), *rank.process.who[:2], facts

    def _fate(self, last: Doing) -> tuple[str, str | None]:
        process, parent = last.process, self._history.parent
        life = self._life(process, requeued=last.requeued)
        if life == "gone":
            again = process.task is parent.task is not None and process.restarts < parent.restarts
            return ("RUNNING", "waits") if again and not self._over else ("INTERRUPTED", life)
        if self._over and not last.rerun:
            if process is parent and life != "waits":
                return "INTERRUPTED", life
            if not self._outlives and (life is None or self._eyes.at_its_end):
                return "INTERRUPTED", life
            self._workers_live |= life == "lives"
        return "RUNNING", life

    def _queue(self) -> tuple[set[int], set[int]]:
        history = self._history
        planned, started = set(range(history.planned or 0)), set(history.jobs)
        if not self._over:
            return set(), set()
        if not self._outlives:
            return set(), planned - started if self._workers_live else set()
        missing = planned - started - history.returned
        if "aborted" in history.facts:
            return set(), set()
        # what array it is, and on which cluster, is known by the jobs that have started
        known = any(attempts[-1].process.task for attempts in history.jobs.values())
        states = {num: history.tasks[f"7_{num}"].state if known else None for num in missing}
        return (
            {num for num, state in states.items() if state in ("waits", "runs")},
            {num for num, state in states.items() if state is None and not self._eyes.assume_gone},
        )

    def _handed_on(self, num: int, after: int, process: Process) -> bool | None:
        """Whether it is known to wait; None if it does not."""
        life = self._life(process)
        if len(self._history.jobs[num]) > after:
            return None
        if life == "gone":
            return False if self._history.launcher == "rq" and not self._eyes.assume_gone else None
        return life == "lives"

    def _status(self, jobs: dict[int, str], *, waiting: bool) -> str:
        history, statuses = self._history, set(jobs.values())
        if waiting or "RUNNING" in statuses or (self._parent in ("lives", "waits")):
            return "RUNNING"
        planned = history.planned if history.launcher else 1
        if planned is None and not history.launched.keys() <= jobs.keys():
            planned = len({*history.launched, *jobs})
        whole = planned is not None and len(jobs) >= planned
        failed = "FAILED" in statuses
        if whole and jobs and "INTERRUPTED" not in statuses:
            return "FAILED" if failed else "COMPLETED"
        if not self._over:
            return "RUNNING"
        if "aborted" in history.facts and not jobs:
            return "FAILED"
        if planned is None and statuses == {"COMPLETED"} and history.ended_at:
            return "COMPLETED"
        return "FAILED" if failed and (history.ended_at or not history.launcher) else "INTERRUPTED"


def _ends_of(earlier: Doing) -> tuple[Any, ...]:
    status = earlier.status if earlier.status in ("COMPLETED", "FAILED") else "INTERRUPTED"
    return status, earlier.started_at, earlier.ended_at, earlier.duration_s, earlier.error
