"""When each job ran, and where: a row a worker or a device, and how many jobs ran at once."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.concurrency import end_of, jobs_at_once
from hydra_callback_kit.views.report.columns import STATUS_LETTERS
from hydra_callback_kit.views.report.pauses import pauses_in_words, pauses_of

MAX_WORKERS: Final = 60
"""With more workers, each row holds jobs of several that did not overlap."""
MAX_STEPS: Final = 1_000
"""Steps of the curve of the jobs that ran at once."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """When the jobs ran.

    Attributes:
        starts: for each job, seconds since the first start; None if unknown.
        durations: for each job, seconds; 0 for one whose end is unknown.
        rows: for each job, its row.
        workers: what each row is called, a worker or a device; empty where a row is neither.
        on_devices: whether the rows are devices, or sets of CPU cores, that the jobs had to themselves.
        worker_count: how many workers there were.
        at_once: the curve of the jobs that ran at once: seconds, and how many from then on.
        highest: how many jobs ran at once at most.
        pauses: the long times in which nothing ran, in seconds since the first start.
        sure: whether nothing can have run in them: no attempt before them has an end that nobody knows.
        interrupted: whether a job was.
        earlier: the attempts that others have followed, as far as their starts are known: the places of their jobs, their
            starts and durations, their statuses, and their rows, below the others.
    """

    starts: list[float | None]
    durations: list[float]
    rows: list[int]
    workers: list[str]
    on_devices: bool
    worker_count: int
    at_once: tuple[list[float], list[int]]
    highest: int
    pauses: list[tuple[float, float]]
    sure: bool
    interrupted: bool
    earlier: dict[str, list[Any]]

    @property
    def said_of_pauses(self) -> str:
        """The pauses in words."""
        return pauses_in_words(self.pauses, sure=self.sure)

    @property
    def fades(self) -> bool:
        """Whether a bar has no end that is known."""
        return self.interrupted or STATUS_LETTERS["INTERRUPTED"] in self.earlier["statuses"]

    def as_data(self) -> dict[str, Any]:
        """What the page's script needs."""
        return {
            "starts": self.starts,
            "durations": self.durations,
            "rows": self.rows,
            "workers": self.workers,
            "at_once": self.at_once,
            "pauses": self.pauses,
            "earlier": self.earlier,
        }


def timeline_of(shown: Sequence[JobRecord], jobs: Sequence[JobRecord], now_s: float) -> Timeline | None:
    """Lays the timeline out.

    Args:
        shown: the jobs that have a bar.
        jobs: all jobs of the run, which the curve counts.
        now_s: seconds since 1970, at which the bars of running jobs end.

    Returns:
        None if fewer than two jobs have a known start.
    """
    starts = [None if job.started_at is None else _start(job) for job in shown]
    known = [start for start in starts if start is not None]
    if len(known) < 2:  # noqa: PLR2004  one bar says nothing
        return None
    everything = [*jobs, *(attempt for job in jobs if job.earlier for attempt in _earlier(job))]
    changes = jobs_at_once(everything)
    zero = min(changes[0][0], *known)
    ends = [
        None if start is None else min(end_of(job, start), max(now_s, start))
        for job, start in zip(shown, starts, strict=True)
    ]
    workers = _workers(shown, starts)
    rows, names = [workers[who] for who in map(_worker, shown)], [f"{who.host}:{who.pid}" for who in workers]
    places = [_place(job) for job in shown]
    if any(places):
        rows, names = _on_places(places, starts, ends)
    if len(names) > MAX_WORKERS:
        rows, names = _lanes(starts, ends), []
    before = [(row, attempt) for row, job in enumerate(shown) if job.earlier for attempt in _earlier(job)]
    began = [_start(attempt) for _, attempt in before]
    ended = [end_of(attempt, start) for (_, attempt), start in zip(before, began, strict=True)]
    below = [max(rows) + 1 + lane for lane in _lanes(began, ended)]
    if names:
        names += ["earlier attempts"] * len(set(below))
    pauses = pauses_of(changes, now_s)
    open_since = min((_start(job) for job in everything if job.started_at and job.status == "INTERRUPTED"), default=math.inf)
    return Timeline(
        starts=[None if start is None else round(start - zero, 3) for start in starts],
        durations=[
            0 if start is None or end is None else round(end - start, 3) for start, end in zip(starts, ends, strict=True)
        ],
        rows=rows,
        workers=names,
        on_devices=any(places) and bool(names),
        worker_count=len(workers),
        at_once=_steps(_until(now_s, changes, zero)),
        highest=max(running for _, running in changes),
        pauses=[(round(begin - zero, 3), round(end - zero, 3)) for begin, end in pauses],
        sure=all(begin < open_since for begin, _ in pauses),
        interrupted=any(job.status == "INTERRUPTED" for job in shown),
        earlier={
            "of": [row for row, _ in before],
            "starts": [round(start - zero, 3) for start in began],
            "durations": [round(end - start, 3) for start, end in zip(began, ended, strict=True)],
            "statuses": [STATUS_LETTERS[wording.status_of(attempt)] for _, attempt in before],
            "rows": below,
        },
    )


def _earlier(job: JobRecord) -> list[JobRecord]:
    """The attempts before the last whose starts are known, as jobs of their own."""
    return [
        JobRecord(
            job.job_num,
            attempt.status,
            error=attempt.error,
            started_at=attempt.started_at,
            ended_at=attempt.ended_at,
            duration_s=attempt.duration_s,
            host=attempt.host,
        )
        for attempt in job.earlier
        if attempt.started_at is not None
    ]


def _start(job: JobRecord) -> float:
    return datetime.fromisoformat(job.started_at or "").timestamp()


def _worker(job: JobRecord) -> ProcessIdentity:
    return ProcessIdentity(job.host or "?", job.pid or 0, job.born)


def _workers(jobs: Sequence[JobRecord], starts: Sequence[float | None]) -> dict[ProcessIdentity, int]:
    """The row of each worker, the first that started a job first."""
    first: dict[ProcessIdentity, float] = {}
    for job, start in zip(jobs, starts, strict=True):
        worker, at = _worker(job), math.inf if start is None else start
        first[worker] = min(at, first.get(worker, math.inf))
    return {worker: row for row, worker in enumerate(sorted(first, key=lambda worker: first[worker]))}


def _place(job: JobRecord) -> str:
    """The device that a job had to itself, or the CPU cores."""
    kind = next((kind for kind in ("device", "cores") if isinstance(job.facts.get(kind), str)), None)
    return "" if kind is None else f"{job.host or '?'}: {kind} {job.facts[kind]}"


def _on_places(
    places: Sequence[str], starts: Sequence[float | None], ends: Sequence[float | None]
) -> tuple[list[int], list[str]]:
    """A row for each device; several where jobs shared it."""
    rows = [0] * len(places)
    names: list[str] = []
    one_host = len({place.partition(": ")[0] for place in places if place}) == 1
    for place in sorted(set(places), key=lambda place: (not place, len(place), place)):
        jobs = [job for job, its in enumerate(places) if its == place]
        lanes = _lanes([starts[job] for job in jobs], [ends[job] for job in jobs])
        for job, lane in zip(jobs, lanes, strict=True):
            rows[job] = len(names) + lane
        names += [place.partition(": ")[2] if one_host else place] * (max(lanes) + 1)
    return rows, names


def _lanes(starts: Sequence[float | None], ends: Sequence[float | None]) -> list[int]:
    """Puts each job in the row that has been free for the longest, or in a new one."""
    rows = [0] * len(starts)
    free: list[tuple[float, int]] = []
    for start, job in sorted((start, job) for job, start in enumerate(starts) if start is not None):
        row = heapq.heappop(free)[1] if free and free[0][0] <= start else len(free)
        rows[job] = row
        heapq.heappush(free, (ends[job] or start, row))
    return rows


def _steps(steps: list[tuple[float, int]]) -> tuple[list[float], list[int]]:
    """The curve with at most `MAX_STEPS` steps, in each stretch of time the highest."""
    if len(steps) > MAX_STEPS:
        width = (steps[-1][0] - steps[0][0]) / (MAX_STEPS - 1) or 1.0
        highest: dict[int, int] = {}
        for time, running in steps:
            stretch = int((time - steps[0][0]) / width)
            highest[stretch] = max(running, highest.get(stretch, 0))
        steps = [(steps[0][0] + stretch * width, running) for stretch, running in highest.items()] + [steps[-1]]
    return [round(time, 3) for time, _ in steps], [running for _, running in steps]


def _until(now_s: float, changes: Sequence[tuple[float, int]], zero: float) -> list[tuple[float, int]]:
    """The changes in seconds since the first start; where jobs run, it goes on to now."""
    past = [(time - zero, running) for time, running in changes if time < math.inf]
    return past if len(past) == len(changes) else [*past, (max(now_s - zero, past[-1][0]), past[-1][1])]
