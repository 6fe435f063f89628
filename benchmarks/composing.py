"""What `compose_once_callback` saves: whole sweeps with it and the standard set, against bare Hydra."""

import time
from collections.abc import Sequence
from pathlib import Path

from contenders import Contenders
from harness import Line, run, table, temporary_directory
from hydra import compose, initialize_config_dir
from validation import VERSION_BASE
from whole_sweeps import PARALLEL

from hydra_callback_kit.configs.composed_job import made
from hydra_callback_kit.configs.job_configs import JobConfigs

JOBS = 200
OPTIONS = 4
"""How many options each of two groups has."""


def lines(contenders: Contenders, jobs: int = JOBS, repetitions: int = 3) -> list[Line]:
    """Measures whole sweeps of do-nothing jobs, and what a job takes of them by itself.

    Args:
        contenders: who; joblib must be among what they have installed.
        jobs: how many jobs a sweep has.
        repetitions: how often each sweep is run; the contenders take turns.
    """
    options = ",".join(f"o{number}" for number in range(OPTIONS))
    groups = (f"+one={options}", f"+two={options}", f"x=range({max(1, jobs // OPTIONS**2)})")
    with temporary_directory() as name:
        directory = Path(name)
        contenders.write_app(directory)
        for group in ("one", "two"):
            (directory / group).mkdir()
            for number in range(OPTIONS):
                (directory / group / f"o{number}.yaml").write_text(f"value: {number}\n", "utf-8")
        values = (f"x=range({jobs})",)
        return [
            _against_bare(contenders, directory, "basic", values, jobs, repetitions, 0.30),
            _against_bare(contenders, directory, "basic, 2 groups of 4 options", groups, jobs, repetitions, 0.45),
            _against_bare(contenders, directory, "joblib, 2 workers", (*values, *PARALLEL), jobs, repetitions, 0.60),
            *_by_itself(directory, jobs),
        ]


def _against_bare(
    contenders: Contenders, directory: Path, what: str, arguments: Sequence[str], jobs: int, repetitions: int, bound: float
) -> Line:
    ratios = []
    for _ in range(repetitions):
        ours, bare = (run(each.command("-m", *arguments), directory).wall_s for each in (contenders.once, contenders.bare))
        ratios.append(ours / bare)
    return Line.of(f"whole sweep of {jobs} jobs, wall time against bare ({what}): {contenders.once.name}", ratios, bound)


def _by_itself(directory: Path, jobs: int) -> list[Line]:
    """The sweeper's check of a job, and its config, in milliseconds a job."""
    checks, configs = [], []
    with initialize_config_dir(str(directory), **VERSION_BASE):
        master = compose("config", return_hydra_config=True)
        for repetition in range(5):
            composed = JobConfigs(master)
            composed.job(["x=0"])
            overrides = [[f"x={repetition}{number}"] for number in range(jobs)]
            started = time.perf_counter()
            checked = [composed.job(job) for job in overrides]
            at = time.perf_counter()
            for job in checked:
                if job is not None:
                    made(job, master)
            checks.append((at - started) / jobs * 1000)
            configs.append((time.perf_counter() - at) / jobs * 1000)
    return [
        Line.of("whether a job can be composed, per job of new values", checks, 1, "ms"),
        Line.of("the config of a job that was composed once", configs, None, "ms"),
    ]


if __name__ == "__main__":
    with temporary_directory() as environments:
        print(table(lines(Contenders(Path(environments), also=("hydra-joblib-launcher",)))))
