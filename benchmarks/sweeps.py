"""What a job of a sweep costs in the hooks, by the number of jobs and of config keys."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from contenders import Contender, Contenders
from harness import HOOK_TIMER, Line, hook_calls, hook_ms_per_job, table, temporary_directory

JOBS = (50, 200, 1000)
KEYS = (10, 100, 1000)
BOUNDS = {"logging and performance": 1.0, "standard_callbacks": 2.0, "the first fourteen": 2.0}
"""Milliseconds a job in the hooks, with 50 keys."""
BOUNDS_OF_LARGE_CONFIGS = {"the first fourteen": 6.0}
"""The same with 1,000 keys."""
LONG = 5_000
SAMPLE = 50
"""So many jobs at the end of a long sweep are compared with as many after its first ones."""


def lines(contenders: Contenders, jobs: Sequence[int] = JOBS, repetitions: int = 3, long: int = LONG) -> list[Line]:
    """Measures; a job of a sweep takes Hydra about 80 ms.

    Args:
        contenders: who.
        jobs: how many jobs the sweeps have; the largest is run once, and not with as many callbacks as there are, the others
            so often:
        repetitions: how often.
        long: how many jobs the sweep has whose last jobs are compared with its first.
    """
    several = (contenders.both, contenders.standard, contenders.first, contenders.everything, contenders.peer)
    result: list[Line] = []
    for count in jobs:
        longest = count == max(jobs)  # takes some minutes for each
        measured = (contenders.both, contenders.standard, contenders.peer) if longest else several
        found = _in_hooks(contenders, measured, count, 50, 1 if longest else repetitions)
        for contender, samples in zip(measured, found, strict=True):
            what = f"in the hooks per job, {count:,} jobs, 50 keys: {contender.name}"
            result.append(Line.of(what, samples, BOUNDS.get(contender.name), "ms"))
    for keys in KEYS:
        bounds = BOUNDS_OF_LARGE_CONFIGS if keys == max(KEYS) else {}
        for contender, samples in zip(several, _in_hooks(contenders, several, min(jobs), keys, repetitions), strict=True):
            what = f"in the hooks per job, {keys:,} keys: {contender.name}"
            result.append(Line.of(what, samples, bounds.get(contender.name), "ms"))
    what = f"in the hooks of a job, CPU time, the last of {long:,} jobs against the first: {contenders.everything_once.name}"
    result.append(Line.of(what, [_last_against_first(contenders, contenders.everything_once, long)], 1.2))
    return result


def _in_hooks(
    contenders: Contenders, several: Sequence[Contender], jobs: int, keys: int, repetitions: int
) -> list[list[float]]:
    with temporary_directory() as directory:
        contenders.write_app(Path(directory), keys, HOOK_TIMER)
        turns = [[hook_ms_per_job(each.command(), Path(directory), jobs) for each in several] for _ in range(repetitions)]
    return [list(samples) for samples in zip(*turns, strict=True)]


def _last_against_first(contenders: Contenders, contender: Contender, jobs: int) -> float:
    """Of a contender that composes once: Hydra would compose five thousand configs for minutes."""
    with temporary_directory() as directory:
        contenders.write_app(Path(directory), preamble=HOOK_TIMER)
        calls = hook_calls(contender.command(), Path(directory), jobs)
    start, end = ([call.cpu_s for call in calls if call.hook == hook] for hook in ("on_job_start", "on_job_end"))
    took = [sum(both) for both in zip(start, end, strict=True)]
    sample = min(SAMPLE, jobs // 3)
    return statistics.median(took[-sample:]) / statistics.median(took[sample : 2 * sample])


if __name__ == "__main__":
    with temporary_directory() as environments:
        print(table(lines(Contenders(Path(environments), also=("hydra-joblib-launcher",)))))
