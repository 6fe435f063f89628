"""How long a run took and what it used, from its record."""

from typing import Any, Final

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import measured
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.varied import varied_overrides, varied_text

_PARALLEL: Final = 1.05
"""Jobs at once on average from which on jobs are said to have run in parallel."""


def performance_summary(run: RunRecord) -> dict[str, Any]:
    """Computes the contents of `performance.json`.

    Args:
        run: a single run or a sweep.

    Returns:
        Plain JSON values. The job statistics are over the jobs that completed or failed; a figure that cannot be computed,
        because no job ended or the platform does not tell, is None.
    """
    ended = [job for job in run.jobs if job.duration_s is not None and job.status in ("COMPLETED", "FAILED")]
    durations = [job.duration_s for job in ended if job.duration_s is not None]
    cpu = [seconds for job in run.jobs if (seconds := _number(job, "cpu_s")) is not None]
    peaks = [size for job in run.jobs if (size := _number(job, "peak_rss_bytes")) is not None]
    average_s, median_s, p95_s = _typical(durations)
    slowest = max(ended, key=lambda job: job.duration_s or 0.0, default=None)
    return {
        "mode": run.mode,
        "total_s": run.took_s,
        "jobs_completed": run.count("COMPLETED"),
        "jobs_failed": run.count("FAILED"),
        "jobs_pruned": sum(job.pruned for job in run.jobs),
        "jobs_interrupted": run.count("INTERRUPTED"),
        "jobs_running": run.count("RUNNING"),
        "average_job_s": average_s,
        "median_job_s": median_s,
        "p95_job_s": p95_s,
        "min_job_s": min(durations, default=None),
        "max_job_s": max(durations, default=None),
        "slowest_job": slowest
        and {"job_num": slowest.job_num, "overrides": slowest.overrides, "duration_s": slowest.duration_s},
        "cpu_s": sum(cpu) if cpu else None,
        "peak_rss_bytes": max(peaks, default=None),
        "parallelism": sum(durations) / run.took_s if durations and run.took_s else None,
        "jobs": [
            {
                "job_num": job.job_num,
                "status": job.status,
                "duration_s": job.duration_s,
                "cpu_s": _number(job, "cpu_s"),
                "peak_rss_bytes": _number(job, "peak_rss_bytes"),
            }
            for job in run.jobs
        ],
    }


def usage_text(
    what: str, duration_s: float | None, cpu_s: float | None, peak_bytes: float | None, *, outcome: str = "", long: bool
) -> str:
    """Puts into words what a job or a run took and used.

    Args:
        what: what is spoken of: `Job 3`, say.
        duration_s: its wall time in seconds.
        cpu_s: its CPU time in seconds.
        peak_bytes: its peak memory in bytes.
        outcome: what became of its jobs.
        long: whether the wall time and the outcome are part of it.
    """
    used = f"CPU {wording.duration(cpu_s)}, peak memory {wording.size(peak_bytes)}"
    came_out = f": {outcome}" if outcome else ""
    return f"{what} took {wording.duration(duration_s)}{came_out} ({used})" if long else f"{what} used {used}"


def performance_text(run: RunRecord, *, long: bool = True) -> str:
    """Puts the summary into words, on one line for a single run and on three for a sweep.

    Args:
        run: a single run or a sweep.
        long: whether to say how long it took and what became of its jobs, which `logging_callback` says as well.
    """
    summary = performance_summary(run)
    cpu_s, peak_bytes = summary["cpu_s"], summary["peak_rss_bytes"]
    if run.mode == "RUN":
        return usage_text("Run", run.took_s, cpu_s, peak_bytes, long=long)
    lines = [usage_text("Sweep", run.took_s, cpu_s, peak_bytes, outcome=wording.status_counts(run), long=long)]
    if summary["average_job_s"] is not None:
        figures = ", ".join(
            f"{name} {wording.duration(summary[f'{name}_job_s'])}" for name in ("average", "median", "p95", "min", "max")
        )
        lines.append(f"  a job took: {figures}")
    if summary["slowest_job"] is not None:
        slowest = next(job for job in run.jobs if job.job_num == summary["slowest_job"]["job_num"])
        parallelism = summary["parallelism"] or 0.0
        at_once = f"; {parallelism:.2g} jobs at once on average" if parallelism >= _PARALLEL else ""
        lines.append(f"  slowest: job {slowest.job_num} ({varied_text(slowest, varied_overrides(run.jobs))}){at_once}")
    return "\n".join(lines)


def _number(job: JobRecord, fact: str) -> float | None:
    return measured(job.facts.get(fact))


def _typical(values: list[float]) -> tuple[float | None, float | None, float | None]:
    """Average, median and 95th percentile, interpolated between the two nearest ranks."""
    if len(values) < 2:  # noqa: PLR2004  one value is all three
        return (values[0] if values else None,) * 3
    import statistics  # noqa: PLC0415  takes a millisecond, and single runs do not need it

    p95 = statistics.quantiles(values, n=20, method="inclusive")[-1]
    return statistics.fmean(values), statistics.median(values), p95
