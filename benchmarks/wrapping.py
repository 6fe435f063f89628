"""What wrapping costs: a sweep with callbacks inside each other against the same side by side; and what a snapshot costs."""

import logging
import sys
import time
from pathlib import Path

import harness
from harness import Line
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from hydra_callback_kit import ThreadSafeCallback

SWEEP = ("-m", f"x={','.join(map(str, range(16)))}", "hydra.sweep.dir=out")
SAFE = "hydra.callbacks.thread_safe_callback.callbacks"
IF = f"{SAFE}.conditional_callback"
SIDE_BY_SIDE = (
    "+callbacks=[thread_safe_callback,conditional_callback,performance_callback]",
    "hydra.callbacks.conditional_callback.condition_key=x",
    "hydra.callbacks.conditional_callback.operator=exists",
)
WRAPPED = (
    "+callbacks=[thread_safe_callback]",
    f"+callbacks@{IF}=conditional_callback",
    f"{IF}.condition_key=x",
    f"{IF}.operator=exists",
    f"+callbacks@{IF}.callbacks.timer=performance_callback",
)
JOBS = 10_000


def lines() -> list[Line]:
    """The lines of the table."""
    with harness.temporary_directory() as directory:
        path = Path(directory)
        harness.write_app(path)
        app = [sys.executable, "app.py", *SWEEP]
        beside, wrapped = harness.interleaved([[*app, *SIDE_BY_SIDE], [*app, *WRAPPED]], path, 5)
        cpu = harness.ratios(wrapped, beside, "cpu_s")
        wall = harness.ratios(wrapped, beside, "wall_s")
        memory = harness.ratios(wrapped, beside, "peak_rss_bytes")
    return [
        Line.of("sweep of 16 jobs, three callbacks deep, wall time, against side by side", wall, 1.15),
        Line.of("the same, CPU time", cpu, 1.15),
        Line.of("the same, peak memory", memory, 1.05),
        Line.of(f"a snapshot of {JOBS} jobs", _snapshots_ms(), 50, "ms"),
    ]


def _snapshots_ms() -> list[float]:
    callback = ThreadSafeCallback()
    logging.disable()  # these configs have no place for a journal, and the callback would say so
    for number in range(JOBS):
        job = OmegaConf.create({"hydra": {"job": {"id": str(number)}}})
        callback.on_job_end(config=job, job_return=JobReturn(status=JobStatus.COMPLETED))
    return [_timed_ms(callback) for _ in range(5)]


def _timed_ms(callback: ThreadSafeCallback) -> float:
    started = time.perf_counter()
    callback.snapshot()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    print(harness.table(lines()))
