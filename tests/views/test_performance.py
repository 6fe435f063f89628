"""The performance summary, from records alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.performance import performance_summary, performance_text


def test_the_figures() -> None:
    """Statistics over the jobs that completed or failed; sums and peaks over all that told."""
    jobs = (
        *(JobRecord(n, "COMPLETED", duration_s=float(n), facts={"cpu_s": 1.0, "peak_rss_bytes": n}) for n in range(1, 21)),
        JobRecord(21, "FAILED", ("x=1",), duration_s=30.0),
        JobRecord(22, "INTERRUPTED", facts={"cpu_s": "nonsense"}),
    )
    summary = performance_summary(RunRecord("id", Path(), "MULTIRUN", "FAILED", jobs, duration_s=60.0))
    assert (summary["jobs_completed"], summary["jobs_failed"], summary["jobs_interrupted"]) == (20, 1, 1)
    assert (summary["min_job_s"], summary["median_job_s"], summary["p95_job_s"], summary["max_job_s"]) == (1, 11, 20, 30)
    assert summary["average_job_s"] == pytest.approx(240 / 21)
    assert summary["slowest_job"] == {"job_num": 21, "overrides": {"x": 1}, "duration_s": 30.0}
    assert (summary["cpu_s"], summary["peak_rss_bytes"], summary["parallelism"]) == (20.0, 20, 4.0)
    assert [job["cpu_s"] for job in summary["jobs"][-3:]] == [1.0, None, None]


def test_jobs_that_outlived_the_sweep_count_to_their_end() -> None:
    """Its process ended after ten seconds, or was killed; what `rerun` did the day after is no part of it."""
    jobs = (
        JobRecord(0, "COMPLETED", ended_at="2026-01-01T00:01:00+00:00", duration_s=60.0),
        JobRecord(1, "FAILED", ended_at="2026-01-01T00:00:30+00:00", duration_s=30.0),
        JobRecord(2, "COMPLETED", ended_at="2026-01-02T00:00:00+00:00", duration_s=30.0, rerun=True),
    )
    run = RunRecord("id", Path(), "MULTIRUN", "FAILED", jobs, started_at="2026-01-01T00:00:00+00:00")
    ended = replace(run, ended_at="2026-01-01T00:00:10+00:00", duration_s=10.0)
    for each in (run, ended, replace(ended, status="INTERRUPTED")):
        summary = performance_summary(each)
        assert (summary["total_s"], summary["parallelism"]) == (60.0, 2.0)
    assert performance_summary(replace(ended, status="RUNNING"))["total_s"] == 10.0
    assert performance_summary(replace(run, status="INTERRUPTED"))["total_s"] is None
    assert performance_summary(replace(ended, ended_at="2026-01-01T00:01:01+00:00"))["total_s"] == 10.0


def test_a_run_of_which_nothing_is_known() -> None:
    """No job ended: the fields are there, and empty."""
    run = RunRecord("id", Path(), "RUN", "INTERRUPTED")
    summary = performance_summary(run)
    assert summary["average_job_s"] is summary["p95_job_s"] is summary["slowest_job"] is summary["parallelism"] is None
    assert summary["jobs"] == []
    assert performance_text(run) == "Run took ? (CPU ?, peak memory ?)"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "?"), (0.0123, "12.3 ms"), (8.06, "8.1 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (97200, "1 d 3 h")],
)
def test_durations_in_words(seconds: float | None, words: str) -> None:
    """As people say them."""
    assert wording.duration(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"), [(None, "?"), (5, "5 B"), (2048, "2 KiB"), (5 << 20, "5 MiB"), (3 << 30, "3.0 GiB")]
)
def test_sizes_in_words(size: int | None, words: str) -> None:
    """In binary units."""
    assert wording.size(size) == words
