"""The hooks of the last of 10,000 jobs, each of which had a process and a journal file of its own, against the first's."""

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness import Line, table, temporary_directory
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit import (
    FailureLimitCallback,
    LoggingCallback,
    PerformanceCallback,
    RecordingCallback,
    ResultsAggregatorCallback,
)

JOBS = 10_000


def lines(jobs: int = JOBS, repetitions: int = 5) -> list[Line]:
    """Measures CPU time, each job in a process that is forked from the sweep's, with nothing read before.

    Args:
        jobs: how many jobs there were before the last.
        repetitions: how often the last job is measured, and how often one that has no other before it.
    """
    with temporary_directory() as directory:
        sweep = _sweep(Path(directory))
        callbacks = [
            LoggingCallback(),
            PerformanceCallback(),
            ResultsAggregatorCallback(),
            FailureLimitCallback(max_failures=9),
        ]
        for callback in callbacks:
            callback.on_multirun_start(config=sweep)
        (of_the_sweep,) = Path(directory, ".callbacks").iterdir()
        run_id = of_the_sweep.name.partition(".")[0]
        first = [_in_a_process(lambda: _job_s(callbacks, sweep, 0)) for _ in range(repetitions)]
        journal = next(file for file in of_the_sweep.parent.glob("*.jsonl") if file != of_the_sweep)
        text = journal.read_text("utf-8")
        for num in range(1, jobs):
            journal.with_name(f"{run_id}.host-{num}-{num:08x}.jsonl").write_text(
                text.replace('"job":0', f'"job":{num}'), "utf-8"
            )
        last = [_in_a_process(lambda: _job_s(callbacks, sweep, jobs)) for _ in range(repetitions)]
    ratios = [each / one for each, one in zip(last, first, strict=True)]
    what = f"CPU time in the hooks of the last of {jobs:,} jobs in processes of their own, against the first's"
    return [Line.of(what, ratios, 1.5)]


def _sweep(root: Path) -> DictConfig:
    hydra = {
        "mode": "MULTIRUN",
        "callbacks": {},
        "job": {"name": "app", "config_name": "config", "num": "???", "id": "???"},
        "overrides": {"task": [], "hydra": []},
        "run": {"dir": str(root)},
        "runtime": {"choices": {}, "cwd": str(root), "output_dir": str(root)},
        "sweep": {"dir": str(root)},
        "sweeper": {"params": None},
    }
    return OmegaConf.create({**{f"key_{place}": place for place in range(50)}, "hydra": hydra})


def _job_s(callbacks: Sequence[RecordingCallback], sweep: DictConfig, num: int) -> float:
    config = OmegaConf.create(OmegaConf.to_container(sweep))
    OmegaConf.copy_cache(from_config=sweep, to_config=config)
    config.hydra.job.num, config.hydra.job.id = num, str(num)
    end = JobReturn()
    end.status, end._return_value = JobStatus.COMPLETED, 1.0  # noqa: SLF001  as Hydra sets it
    started_s = time.process_time()
    for callback in callbacks:
        callback.on_job_start(config=config, task_function=len)
    for callback in reversed(callbacks):
        callback.on_job_end(config=config, job_return=end)
    return time.process_time() - started_s


def _in_a_process(measure: Callable[[], float]) -> float:
    """What it returns in a process that is forked for it."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writes, json.dumps(measure()).encode("ascii"))
        os._exit(0)
    os.close(writes)
    os.waitpid(pid, 0)
    with os.fdopen(reads, "rb") as answer:
        return float(json.load(answer))


if __name__ == "__main__":
    print(table(lines()))
