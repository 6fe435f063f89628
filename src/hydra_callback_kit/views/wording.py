"""Durations, sizes and counts in words."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final, get_args

from hydra_callback_kit.configs.own_overrides import of_the_app
from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.job_numbers import joined_numbers
from hydra_callback_kit.journal.records import JobRecord, RunRecord

MAX_QUEUED: Final = 5
"""Jobs in a queue that are named: they fit a line."""

PRUNED: Final = "PRUNED"
STATUSES: Final = ("COMPLETED", PRUNED, *get_args(Status)[1:])
"""The statuses of jobs as people see them, in the order in which they are counted."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def duration(seconds: float | None) -> str:
    """Seconds for people: `120 ms`, `8.1 s`, `3 min 20 s`, `2 h 5 min`, `1 d 3 h`; `?` if unknown."""
    if seconds is None:
        return "?"
    if seconds < _MINUTE:
        return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def size(size_bytes: float | None) -> str:
    """Bytes for people, in binary units: `123 MiB`; `?` if unknown."""
    if size_bytes is None:
        return "?"
    for unit in ("B", "KiB", "MiB"):
        if size_bytes < 1024:  # noqa: PLR2004  the next unit
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.1f} GiB"


def overrides(task_overrides: Sequence[str]) -> str:
    """A job's overrides on one line, without those that choose callbacks of this package."""
    return " ".join(of_the_app(task_overrides)) or "no overrides"


def shortened(text: str, most: int) -> str:
    """The text, or its beginning where it has more characters than `most`."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def count_of_files(count: int) -> str:
    """`1 file`, `7 files`."""
    return f"{count} file{'' if count == 1 else 's'}"


def jobs(count: int) -> str:
    """`1 job`, `7 jobs`."""
    return f"{count} job{'' if count == 1 else 's'}"


def seeds(count: int) -> str:
    """`1 seed`, `3 seeds`: the jobs of one seed are one sample."""
    return f"{count} seed{'' if count == 1 else 's'}"


def jobs_so_far(run: RunRecord) -> str:
    """`7 jobs`; `7 jobs, 2 of which still run`."""
    running = run.count("RUNNING")
    still = f", {running} of which still {'runs' if running == 1 else 'run'}" if running else ""
    return f"{jobs(len(run.jobs))}{still}"


def files(paths: Sequence[Path]) -> str:
    """`a.csv, b.json (in /some/directory)`: files of one directory, which is named once; others by their whole paths."""
    directories = {path.parent for path in paths}
    if len(directories) > 1 or len(paths) == 1:
        return ", ".join(map(str, paths))
    return f"{', '.join(path.name for path in paths)} (in {paths[0].parent})"


def unknown_metric(metric: str, known: Sequence[str]) -> str:
    """What to say where no job has a number by a name: the nearest name, and all that there are."""
    return (
        f"No completed job has a metric {metric!r}.{did_you_mean(metric, known)} Metrics are: {', '.join(known) or 'none'}."
    )


def did_you_mean(typed: str, known: Sequence[str]) -> str:
    """` Did you mean accuracy?`: a name that begins with what was typed, else holds it, else is like it."""
    begun = [name for name in known if typed and name.startswith(typed)]
    near = begun or [name for name in known if typed and typed in name]
    if not near:
        import difflib  # noqa: PLC0415  only who mistyped needs it

        near = difflib.get_close_matches(typed, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def status_of(job: JobRecord) -> str:
    """The status of a job for people: a trial that was pruned is FAILED on record, and called `PRUNED`."""
    return PRUNED if job.pruned else job.status


def counts_of(run: RunRecord) -> list[tuple[str, int]]:
    """How many jobs there are of each status that occurs, as people see it, in a fixed order."""
    return _counted(run.jobs)


def _counted(jobs: Iterable[JobRecord]) -> list[tuple[str, int]]:
    counts = Counter(map(status_of, jobs))
    return [(status, counts[status]) for status in STATUSES if counts[status]]


def status_counts(run: RunRecord, not_let_start: Collection[int] = ()) -> str:
    """`3 completed, 1 failed, 2 left no record here, 4 not started`: what occurs, in a fixed order.

    Args:
        run: a single run or a sweep.
        not_let_start: the numbers of jobs on record that count as not started.
    """
    jobs = [job for job in run.jobs if job.job_num not in not_let_start]
    counted = [f"{count} {status.lower()}" for status, count in _counted(jobs)] or ["no jobs"]
    others = (
        (len(run.queue.there), "queued"),
        (len(run.queue.perhaps), "may still be queued"),
        (len(without_record(run)), without_record_yet(run)),
        (not_started(run) + len(not_let_start), "not started"),
    )
    return ", ".join([*counted, *(f"{count} {what}" for count, what in others if count)])


def without_record(run: RunRecord) -> dict[int, tuple[str, ...]]:
    """The jobs that were handed to the launcher and have left no line, where it need not have been here.

    Returns:
        Their overrides by number. They may wait for a worker, run on a machine that does not share the disk, or be lost
        with it. Empty where all jobs share the disk: without a line they have not started. Those that may still be queued
        are none of them.
    """
    known = {*(job.job_num for job in run.jobs), *run.queue.there, *run.queue.perhaps}
    return {num: overrides for num, overrides in run.launched.items() if num not in known} if run.elsewhere else {}


def without_record_yet(run: RunRecord) -> str:
    """What is said of such jobs: `left no record here`, and while their lines may still come home another word."""
    return "without a record so far" if run.status == "RUNNING" else "left no record here"


def handed_on(run: RunRecord) -> str:
    """`job 3 as 123, job 4 as 124`: the jobs that were handed on and have not started since; empty if there is none."""
    waiting: dict[str, list[int]] = {}
    for job in run.handed_on:
        by = f"by process {job.process.pid} on {job.process.host}" if job.process else ""
        where = f"as {job.batch_job}" if job.batch_job else by
        waiting.setdefault(where, []).append(job.job_num)
    named = [f"{named_jobs(nums)} {where}" for where, nums in waiting.items()]
    return ", ".join(named if len(named) <= MAX_QUEUED else [*named[:MAX_QUEUED], f"and {len(named) - MAX_QUEUED} more"])


def not_started(run: RunRecord) -> int:
    """How many jobs that were planned, or handed to the launcher, have not started and are in no queue.

    Returns:
        0 where nobody knows of such.
    """
    known = {*(job.job_num for job in run.jobs), *run.queue.there, *run.queue.perhaps, *without_record(run)}
    planned = len({*known, *run.launched}) if run.planned_jobs is None else run.planned_jobs
    return max(0, planned - len(known))


def named_jobs(numbers: Collection[int]) -> str:
    """`job 3`, `jobs 3, 5-7`."""
    return f"job{'' if len(numbers) == 1 else 's'} {joined_numbers(numbers, ', ')}"
