"""The results table: what its callback adds to a job, and results.csv from the journal of 100,000 jobs."""

import copy
import json
import logging
import os
import secrets
import statistics
import subprocess
import sys
import time
from pathlib import Path

import hydra
from harness import Line, table, temporary_directory, write_app
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from hydra.utils import get_class
from omegaconf import DictConfig, open_dict

from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.writer import write_line

JOBS = 100_000
SWEEP = 100
CALLBACKS = "logging_callback,performance_callback,results_aggregator_callback"
CONFIG = {f"key_{i}": i for i in range(50)}


def lines(jobs: int = JOBS) -> list[Line]:
    """Both topics; about ten minutes on two cores, most of which writes journals."""
    return [*_per_job(), *_large_journal(jobs, with_configs=True), *_large_journal(jobs, with_configs=False)]


def _per_job() -> list[Line]:
    """CPU time inside the hooks of all three callbacks, called as Hydra calls them, with their log lines."""
    with temporary_directory() as temporary, open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123  no path
        root = Path(temporary)
        write_app(root)
        logging.basicConfig(stream=nowhere, level=logging.INFO)
        with hydra.initialize_config_dir(temporary, version_base=None):
            config = hydra.compose("config", [f"+callbacks=[{CALLBACKS}]"], return_hydra_config=True)
        with open_dict(config):
            config.hydra.mode = RunMode.MULTIRUN
            config.hydra.sweep.dir = config.hydra.runtime.cwd = temporary
            config.hydra.job.name = "app"
        callbacks = [get_class(node._target_)() for node in config.hydra.callbacks.values()]
        for callback in callbacks:
            callback.on_multirun_start(config)
        samples = [_inside_hooks_ms(callbacks, config, num) for num in range(SWEEP)]
        for callback in callbacks:
            callback.on_multirun_end(config)
    return [Line.of("inside the hooks of three callbacks, CPU time a job (config of 50 keys)", samples[1:], 1.5, "ms")]


def _inside_hooks_ms(callbacks: list[Callback], sweep: DictConfig, num: int) -> float:
    config = copy.deepcopy(sweep)
    with open_dict(config):
        config.hydra.job.num, config.hydra.job.id = num, str(num)
        config.hydra.runtime.output_dir = f"{config.hydra.sweep.dir}/{num}"
        config.hydra.overrides.task = [f"x={num}"]
    returned = JobReturn(status=JobStatus.COMPLETED, _return_value={"accuracy": num / SWEEP})
    started = time.process_time()
    for callback in callbacks:
        callback.on_job_start(config, task_function=_task)
    for callback in reversed(callbacks):
        callback.on_job_end(config, job_return=returned)
    return 1000 * (time.process_time() - started)


def _task(_: DictConfig) -> None:
    """Never called: the hooks are measured, not the job."""


def _large_journal(jobs: int, *, with_configs: bool) -> list[Line]:
    """Each measurement in a process of its own, which reads all lines with `json.loads` before and after."""
    what = "50 keys of config a job" if with_configs else "include_config=false"
    with temporary_directory() as temporary:
        root = Path(temporary)
        _write_journal(root, jobs, with_configs=with_configs)
        measured = [
            json.loads(subprocess.run([sys.executable, __file__, temporary], capture_output=True, check=True).stdout)
            for _ in range(3)
        ]
    ratios = [one["csv_s"] / one["loads_s"] for one in measured]
    memory = [one["rss_bytes"] / jobs / 1000 for one in measured]
    return [
        Line.of(f"results.csv of {jobs:,} jobs, against json.loads of every line ({what})", ratios, 3.0),
        Line.of(f"results.csv of {jobs:,} jobs, memory a job ({what})", memory, 2.0, "kB"),
    ]


def _write_journal(root: Path, jobs: int, *, with_configs: bool) -> None:
    """What the three callbacks write, by the writer they use."""
    run = RunIdentity("20260101T000000000000-abcdef01", root, "MULTIRUN")
    write_line(run, "run_started", {"mode": "MULTIRUN", "root": root})
    for num in range(jobs):
        overrides = [f"x={num}", "model=cnn", f"optim.lr={num / 1000 + 0.001}"]
        job = JobIdentity(
            run=run,
            job_num=num,
            attempt=secrets.token_hex(6),
            pid=os.getpid(),
            job_id=str(num),
            job_name="app",
            overrides=tuple(overrides),
            output_dir=root / str(num),
        )
        started = {"job_id": str(num), "job_name": "app", "overrides": overrides, "output_dir": str(num)}
        write_line(run, "job_started", started, job)
        if with_configs:
            write_line(run, "job_facts", {"config": CONFIG}, job)
        value = {"accuracy": num / jobs, "loss": num / 3}
        write_line(run, "job_ended", {"status": "COMPLETED", "duration_s": num / 7, "return_value": value}, job)
        write_line(run, "job_facts", {"cpu_s": 0.01 + num / 7e6, "peak_rss_bytes": 51_234_567 + num}, job)
    write_line(run, "run_ended", {"duration_s": 4.5})


def _measure(root: Path) -> None:
    from hydra_callback_kit.journal.reader import read_run  # noqa: PLC0415  the same
    from hydra_callback_kit.measure.usage import peak_rss_bytes  # noqa: PLC0415  this runs in a process of its own
    from hydra_callback_kit.views.results import results_table  # noqa: PLC0415  the same
    from hydra_callback_kit.views.table_formats import write_table  # noqa: PLC0415  the same

    def loads_s() -> float:
        started = time.process_time()
        for file in (root / ".callbacks").iterdir():
            with file.open("rb") as journal:
                for line in journal:
                    json.loads(line)
        return time.process_time() - started

    before_s, peak_before = loads_s(), peak_rss_bytes() or 0
    started = time.process_time()
    run = read_run(root, without=("config",))
    write_table(root / "results.csv", results_table(run, include_config=False), ".csv")
    csv_s, peak_after = time.process_time() - started, peak_rss_bytes() or 0
    figures = {"csv_s": csv_s, "loads_s": statistics.fmean([before_s, loads_s()]), "rss_bytes": peak_after - peak_before}
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _measure(Path(sys.argv[1]))
    else:
        print(table(lines()))
