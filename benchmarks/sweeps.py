"""What a job of a sweep costs: time in the hooks by the number of jobs and of config keys, and whole sweeps against bare."""

from collections.abc import Sequence
from pathlib import Path

from contenders import Contender, Contenders
from harness import HOOK_TIMER, Line, hook_ms_per_job, run, table, temporary_directory

JOBS = (50, 200, 1000)
KEYS = (10, 100, 1000)
BOUNDS = {"logging and performance": 1.0, "standard_callbacks": 2.0}
"""Milliseconds a job in the hooks."""
PARALLEL = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")


def lines(contenders: Contenders, jobs: Sequence[int] = JOBS, repetitions: int = 3) -> list[Line]:
    """Measures; a job of a sweep takes Hydra about 80 ms.

    Args:
        contenders: who; joblib must be among what they have installed.
        jobs: how many jobs the sweeps have; the largest is run once, the others so often:
        repetitions: how often.
    """
    several = (contenders.both, contenders.standard, contenders.everything, contenders.peer)
    result: list[Line] = []
    for count in jobs:
        longest = count == max(jobs)  # takes a minute and a half for each
        found = _in_hooks(contenders, several, count, 50, 1 if longest else repetitions)
        for contender, samples in zip(several, found, strict=True):
            what = f"in the hooks per job, {count:,} jobs, 50 keys: {contender.name}"
            result.append(Line.of(what, samples, BOUNDS.get(contender.name), "ms"))
    for keys in KEYS:
        for contender, samples in zip(several, _in_hooks(contenders, several, min(jobs), keys, repetitions), strict=True):
            result.append(Line.of(f"in the hooks per job, {keys:,} keys: {contender.name}", samples, None, "ms"))
    for what, launcher in (("basic", ()), ("joblib, 2 workers", PARALLEL)):
        result += _whole_sweeps(contenders, min(jobs), repetitions, what, launcher)
    return result


def _in_hooks(
    contenders: Contenders, several: Sequence[Contender], jobs: int, keys: int, repetitions: int
) -> list[list[float]]:
    with temporary_directory() as directory:
        contenders.write_app(Path(directory), keys, HOOK_TIMER)
        turns = [[hook_ms_per_job(each.command(), Path(directory), jobs) for each in several] for _ in range(repetitions)]
    return [list(samples) for samples in zip(*turns, strict=True)]


def _whole_sweeps(contenders: Contenders, jobs: int, repetitions: int, what: str, launcher: Sequence[str]) -> list[Line]:
    several = (contenders.both, contenders.standard, contenders.everything, contenders.peer)
    arguments = ["-m", f"x=range({jobs})", *launcher]
    with temporary_directory() as directory:
        contenders.write_app(Path(directory))
        turns = [
            [run(each.command(*arguments), Path(directory)).wall_s for each in (contenders.bare, *several)]
            for _ in range(repetitions)
        ]
    return [
        Line.of(
            f"whole sweep of {jobs} jobs, wall time against bare ({what}): {contender.name}",
            [turn[place] / turn[0] for turn in turns],
            None,
        )
        for place, contender in enumerate(several, start=1)
    ]


if __name__ == "__main__":
    with temporary_directory() as environments:
        print(table(lines(Contenders(Path(environments), also=("hydra-joblib-launcher",)))))
