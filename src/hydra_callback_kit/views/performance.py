"""How long a run took and what it used, from its record."""

from typing import Any

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import measured
from hydra_callback_kit.views import wording


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
        "total_s": run.duration_s,
        "jobs_completed": run.count("COMPLETED"),
        "jobs_failed": run.count("FAILED"),
        "jobs_interrupted": run.count("INTERRUPTED"),
        "average_job_s": average_s,
        "median_job_s": median_s,
        "p95_job_s": p95_s,
        "min_job_s": min(durations, default=None),
        "max_job_s": max(durations, default=None),
        "slowest_job": slowest
        and {"job_num": slowest.job_num, "overrides": slowest.overrides, "duration_s": slowest.duration_s},
        "cpu_s": sum(cpu) if cpu else None,
        "peak_rss_bytes": max(peaks, default=None),
        "parallelism": sum(durations) / run.duration_s if durations and run.duration_s else None,
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


def performance_text(run: RunRecord) -> str:
    """Puts the summary into words, on one line for a single run and on three for a sweep."""
    summary = performance_summary(run)
    cpu, memory = wording.duration(summary["cpu_s"]), wording.size(summary["peak_rss_bytes"])
    if run.mode == "RUN":
        return f"Run took {wording.duration(run.duration_s)} (CPU {cpu}, peak memory {memory})"
    lines = [
        f"Sweep took {wording.duration(run.duration_s)}: {wording.status_counts(run)} (CPU {cpu}, peak memory {memory})"
    ]
    if summary["average_job_s"] is not None:
        figures = ", ".join(
            f"{name} {wording.duration(summary[f'{name}_job_s'])}" for name in ("average", "median", "p95", "min", "max")
        )
        lines.append(f"  a job took: {figures}")
    if summary["slowest_job"] is not None and summary["parallelism"] is not None:
        slowest = next(job for job in run.jobs if job.job_num == summary["slowest_job"]["job_num"])
        lines.append(
            f"  slowest: job {slowest.job_num} ({wording.overrides(slowest.task_overrides)}); "
            f"{summary['parallelism']:.2g} jobs at once on average"
        )
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
