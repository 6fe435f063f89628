"""Histories of a run: what its processes do and write. Nothing here reads a journal.

A process has a clock of its own and a file of its own. It lives or not, and can be seen from where the journal is read or
not. It may be in a job of Slurm's, which can be put back into the queue.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

from hydra_callback_kit.journal.life import Found
from hydra_callback_kit.journal.process import ProcessIdentity

RUN_ID = "20260101T000000-aa"
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
SLURM = "submitit_slurm"


@dataclass(eq=False)
class Task:
    """A job of Slurm's: one that was submitted for one process, or a script in which many things run."""

    job: str
    own: bool
    state: Literal["waits", "runs", "gone"] = "waits"
    restarts: int = 0


@dataclass(eq=False)
class Process:
    """A process that writes, with what is wrong with its clock, and how often its task had been started again by then."""

    who: ProcessIdentity
    skew: int
    task: Task | None = None
    restarts: int = 0
    lives: bool = True
    seen: bool = True


@dataclass(eq=False)
class Doing:
    """What a process does and says of it: an attempt at a job, or a rank that works for one."""

    process: Process
    started_at: str
    overrides: tuple[str, ...] = ()
    job_id: str | None = None
    rerun: bool = False
    distributed: bool = False
    requeued: bool = False
    status: str | None = None
    ended_at: str | None = None
    duration_s: float | None = None
    value: Any = None
    error: str | None = None
    spoke_at: str = ""
    said: dict[str, tuple[str, Any]] = field(default_factory=dict)
    ranks: "dict[int, Doing]" = field(default_factory=dict)

    @property
    def goes_on(self) -> bool:
        """Whether it does."""
        return self.status is None and self.process.lives

    def states(self, time: str, facts: dict[str, Any]) -> None:
        """Of what is stated twice the later counts, and of what is stated at the same time the larger text."""
        for name, fact in facts.items():
            self.said[name] = max(
                self.said.get(name, ("", None)), (time, fact), key=lambda each: (each[0], json.dumps(each[1]))
            )
        self.spoke_at = max(self.spoke_at, time)


class History:
    """What happens in a run.

    Args:
        root: where its journal lies.
        launcher: what launches its jobs; empty for a single run, `script` for the basic one within a script of Slurm's.
        planned: how many jobs there are going to be; None if that is not known.
    """

    def __init__(self, root: Path, launcher: str, planned: int | None) -> None:
        self.root, self.launcher, self.planned = root, launcher, planned
        self.lines: list[bytes] = []
        self.processes: list[Process] = []
        self.tasks: dict[str, Task] = {}
        self.parents: list[Process] = []
        self.has_ended = False
        self.started_at, self.ended_at, self.spoke_at = "", None, ""
        self.duration_s: float | None = None
        self.facts: dict[str, Any] = {}
        self.jobs: dict[int, list[Doing]] = {}
        self.launched: dict[int, list[str]] = {}
        self.returned: set[int] = set()
        self.handed_on: list[tuple[int, int, Process]] = []
        self._seconds = 0
        (root / ".callbacks").mkdir()
        for num in range(planned or 0):
            self.task_of(num)

    @property
    def parent(self) -> Process:
        """The process that has started the run last."""
        return self.parents[-1]

    def runs_in_the_parent(self) -> bool:
        """Whether its jobs do."""
        return self.launcher in ("", "basic", "script")

    def task_of(self, num: int) -> Task | None:
        """What a job is for Slurm, which knows it by its own number and by that in the array."""
        if self.launcher != SLURM:
            return None
        task = self.tasks.setdefault(f"7_{num}", Task(str(700 + num), own=True))
        self.tasks[task.job] = task
        return task

    def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
        """What Slurm says of a job of its own."""
        task = self.tasks.get(job) if cluster == "c" else None
        return None if task is None else Found(task.state, task.restarts)

    def is_alive(self, who: ProcessIdentity) -> bool | None:
        """What can be seen of a process."""
        (process,) = (each for each in self.processes if each.who == who)
        return process.lives if process.seen else None

    def new_process(self, skew: int = 0, task: Task | None = None) -> Process:
        """A process starts; where it is in a task, that runs."""
        number = len(self.processes)
        made = Process(ProcessIdentity(f"node{number % 3}", 100 + number, f"b:{number}"), skew, task)
        if task is not None:
            task.state, made.restarts = "runs", task.restarts
        self.processes.append(made)
        return made

    def start_run(self) -> None:
        """Its process starts it, for the first time or once more."""
        task = self.tasks.setdefault("50", Task("50", own=False)) if self.launcher == "script" else None
        process = self.new_process(task=task)
        self.parents.append(process)
        self.has_ended = False
        launcher = {"launcher": "basic" if task else self.launcher} if self.launcher else {}
        self.facts |= {"command": ["app.py", str(len(self.parents))], **launcher, **batch_of(process)}
        planned = {} if self.planned is None else {"planned_jobs": self.planned}
        mode = {"mode": "MULTIRUN" if self.launcher else "RUN"}
        time = self.write(process, "run_started", {**mode, **planned, **self.facts})
        self.started_at = self.started_at or time

    def end_run(self, duration_s: float) -> None:
        """Its process ends it."""
        self.ended_at = self.write(self.parent, "run_ended", {"duration_s": duration_s})
        self.has_ended, self.duration_s = True, duration_s

    def write(self, process: Process, event: str, facts: dict[str, Any], *, at_once: bool = False, **of_job: Any) -> str:
        """Appends a line to the file of a process; the time that the line has."""
        self._seconds += not at_once
        time = (NOON + timedelta(seconds=self._seconds + process.skew)).isoformat()
        host, pid, born = process.who
        line = {"v": 1, "time": time, "run": RUN_ID, "event": event, **of_job, "host": host, "pid": pid, "born": born}
        self.lines.append(json.dumps({**line, "facts": facts}).encode("ascii"))
        with (self.root / ".callbacks" / f"{RUN_ID}.{host}-{pid}-x.jsonl").open("ab") as file:
            file.write(self.lines[-1] + b"\n")
        if event.startswith("run_"):
            self.spoke_at = max(self.spoke_at, time)
        return time

    def start_job(self, num: int, process: Process, override: str, *, distributed: bool, rerun: bool = False) -> None:
        """A process starts a job."""
        attempts = self.jobs.setdefault(num, [])
        job_id = f"{RUN_ID}_{num}" if rerun else f"7_{num}" if self.launcher == SLURM else str(num)
        facts = {
            "job_id": job_id if self.launcher else None,
            "job_name": "app",
            "overrides": [override],
            "output_dir": str(num),
            **({"attempt_number": len(attempts) + 1} if attempts else {}),
            **({"rerun": True} if rerun else {}),
            **({"world_size": 3} if distributed else {}),
        }
        batch = batch_of(process)
        attempt = f"{num}.{len(attempts)}"
        time = self.write(process, "job_started", {**facts, **batch}, job=num, attempt=attempt)
        attempts.append(Doing(process, time, (override,), facts["job_id"], rerun, distributed))
        attempts[-1].states(time, batch)

    def start_rank(self, num: int, rank: int, skew: int) -> None:
        """A rank starts to work for the last attempt at a job."""
        last = self.jobs[num][-1]
        process = self.new_process(skew)
        process.task, process.restarts = last.process.task, last.process.restarts
        time = self.say(num, "started", {"world_size": 3}, process=process, rank=rank)
        last.ranks[rank] = Doing(process, time)

    def say(
        self, num: int, event: str, facts: dict[str, Any], *, process: Process, rank: int = 0, at_once: bool = False
    ) -> str:
        """Writes a line of the last attempt at a job, or of a rank that works for it."""
        named = {"job": num, "attempt": f"{num}.{len(self.jobs[num]) - 1}", **({"rank": rank} if rank else {})}
        return self.write(process, f"{'rank' if rank else 'job'}_{event}", facts, at_once=at_once, **named)

    def end(self, num: int, rank: int, status: str, **facts: Any) -> None:
        """The last attempt at a job, or a rank of it, ends by itself."""
        doing = self.jobs[num][-1] if not rank else self.jobs[num][-1].ranks[rank]
        error = {"type": "E", "message": f"by {num} {rank}", "traceback": ""} if status == "FAILED" else None
        doing.ended_at = self.say(
            num, "ended", {"status": status, "error": error, **facts}, process=doing.process, rank=rank
        )
        doing.status, doing.duration_s, doing.value = status, facts["duration_s"], facts.get("return_value")
        doing.error = error and error["message"]
        doing.spoke_at = doing.ended_at


def batch_of(process: Process) -> dict[str, Any]:
    """What a process says of the job of Slurm's that it is in."""
    task = process.task
    if task is None:
        return {}
    place = {"array_job": "7", "array_index": str(int(task.job) - 700)} if task.own else {}
    return {"batch": {"system": "slurm", "job": task.job, "restarts": process.restarts, "cluster": "c", **place}}
