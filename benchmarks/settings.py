"""Settings over seeds: 10,000 jobs with five metrics are put together, and ranked, against reading them."""

import gc
import os
import time
from pathlib import Path

from harness import Line, table, temporary_directory

from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.views.setting_ranking import ranked_settings
from hydra_callback_kit.views.settings import settings_of, settings_table

JOBS = 10_000
SEEDS = 5
METRICS = [f"metric_{num}" for num in range(5)]
REPETITIONS = 9


def lines(jobs: int = JOBS) -> list[Line]:
    """CPU time in one process, in turn: reading the journal, and what is made of it."""
    with temporary_directory() as temporary:
        _write_journal(Path(temporary), jobs)
        rounds = [_round(Path(temporary)) for _ in range(REPETITIONS)]
    what = f"of {jobs:,} jobs with {len(METRICS)} metrics, against reading them"
    return [
        Line.of(f"settings {what}: the figures of all metrics, ranked", [each[1] / each[0] for each in rounds], 2.0),
        Line.of(f"settings {what}: their table", [each[2] / each[0] for each in rounds], 2.0),
    ]


def _write_journal(root: Path, jobs: int) -> None:
    run = RunIdentity("20260101T000000000000-abcdef01", root, "MULTIRUN")
    write_line(run, "run_started", {"mode": "MULTIRUN"})
    for num in range(jobs):
        overrides = [f"model=m{num // SEEDS % 10}", f"lr={num // SEEDS / 1000 + 0.001}", f"seed={num % SEEDS}"]
        job = JobIdentity(run, num, f"{num}.1", os.getpid(), str(num), "app", tuple(overrides), root / str(num))
        write_line(run, "job_started", {"job_id": str(num), "overrides": overrides, "output_dir": str(num)}, job)
        value = {metric: place + num / jobs for place, metric in enumerate(METRICS)}
        write_line(run, "job_ended", {"status": "COMPLETED", "duration_s": num / 7, "return_value": value}, job)
    write_line(run, "run_ended", {"duration_s": 4.5})


def _round(root: Path) -> tuple[float, float, float]:
    gc.collect()
    started = time.process_time()
    run = read_run(root)
    read_s = time.process_time() - started
    gc.collect()
    started = time.process_time()
    _figures(run)
    figures_s = time.process_time() - started
    gc.collect()
    started = time.process_time()
    for _ in settings_table(run.jobs, ["seed"]).cells():
        pass
    return read_s, figures_s, time.process_time() - started


def _figures(run: RunRecord) -> None:
    settings = settings_of(run.jobs, ["seed"])
    ranked_settings(settings, METRICS[0])
    for setting in settings:
        for metric in METRICS:
            setting.figures(metric)


if __name__ == "__main__":
    print(table(lines()))
