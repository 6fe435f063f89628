"""The report ranks the jobs that completed, and no others: one that failed may have reported a better value before."""

from report_pages import a_run, data_of, job, page_of, sections_of

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.metric_points import Point, metrics_of
from hydra_callback_kit.journal.records import JobRecord


def failed(num: int, *overrides: str, acc: float) -> JobRecord:
    """A job that reported a value and failed."""
    return job(num, *overrides, status="FAILED", metrics=metrics_of([Point("", 0, {"acc": acc})]))


def test_what_failed_jobs_reported_explains_nothing() -> None:
    """The shares are those of the jobs that completed."""
    jobs = [job(num, f"x={num % 2}", f"y={num // 2 % 2}", value={"acc": float(num % 2)}) for num in range(12)]
    alone = data_of(page_of(a_run(*jobs)))["metrics"][0]["shares"]
    gone = [failed(12 + num, "x=0", "y=1", acc=9.0) for num in range(4)]
    assert data_of(page_of(a_run(*jobs, *gone)))["metrics"][0]["shares"] == alone


def test_where_no_job_completed_nothing_matters() -> None:
    """And nothing is the best."""
    page = page_of(a_run(*(failed(num, f"x={num}", acc=num / 10) for num in range(4))))
    assert "matters" not in sections_of(page)
    assert data_of(page)["ranked"] is False


def test_the_metric_is_one_that_completed_jobs_differ_in() -> None:
    """Another value of a failed job is no difference."""
    jobs = [job(num, f"x={num}", value={"acc": 0.5, "loss": num}) for num in range(3)]
    page = page_of(a_run(*jobs, failed(3, "x=3", acc=0.9)))
    assert "smallest loss" in page


def test_what_was_pruned_has_a_section_of_its_own() -> None:
    """A search has given it up: that is no failure."""
    gone = JobError("TrialPruned", "no good", "", ("optuna.exceptions.TrialPruned",))
    jobs = [job(0, "x=0", value=1.0), job(1, "x=1", status="FAILED", error=gone)]
    assert [name for name in sections_of(page_of(a_run(*jobs))) if name in ("failures", "pruned")] == ["pruned"]
    page = page_of(a_run(*jobs, job(2, "x=2", status="FAILED", error=JobError("ValueError", "boom", ""))))
    failures, _, pruned = page.partition('<section id="failures">')[2].partition('<section id="pruned">')
    assert "boom" in failures
    assert "no good" not in failures
    assert "no good" in pruned


def test_what_only_completed_jobs_have_is_not_the_same_for_all() -> None:
    """A failed job returned nothing."""
    jobs = [job(num, f"x={num}", "k=1", value={"acc": num, "n": 3}) for num in range(3)]
    assert 'same for all jobs</dt><dd><code class="override">k=1</code> <code class="override">n=3' in page_of(a_run(*jobs))
    page = page_of(a_run(*jobs, job(3, "x=3", "k=1", status="FAILED")))
    assert 'same for all jobs</dt><dd><code class="override">k=1</code> </dd>' in page
    assert 'same for all that completed</dt><dd><code class="override">n=3' in page


def test_a_run_that_failed_is_not_asked_for_its_metric() -> None:
    """It has returned nothing, and the page says that it failed."""
    run = a_run(job(0, status="FAILED"), mode="RUN", status="FAILED")
    assert "No completed job" not in page_of(run, metric="acc")
