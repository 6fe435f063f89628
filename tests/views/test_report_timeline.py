"""The timeline of a sweep whose jobs were started again."""

from report_pages import NOW, a_run, data_of, job, page_of

from hydra_callback_kit.journal.records import AttemptRecord
from hydra_callback_kit.views.report.timeline import timeline_of

HOUR = "2026-01-01T01:00:00+00:00"


def test_earlier_attempts_have_bars_below_the_others() -> None:
    """An hour in which one ran is no pause, though no job's last attempt ran then."""
    failed = AttemptRecord("FAILED", started_at="2026-01-01T00:00:05+00:00", ended_at=HOUR, duration_s=3595.0, host="h")
    jobs = [job(0, start_s=0, duration_s=5.0, pid=1), job(1, start_s=3600, duration_s=5.0, pid=1, earlier=(failed,))]
    found = timeline_of(jobs, jobs, NOW.timestamp() + 1e6)
    assert found.pauses == []
    assert found.earlier == {"of": [1], "starts": [5], "durations": [3595], "statuses": ["F"], "rows": [1]}
    assert found.workers == ["?:1", "earlier attempts"]
    assert data_of(page_of(a_run(*jobs)))["timeline"]["earlier"] == found.earlier


def test_of_an_attempt_without_an_end_nobody_knows_how_long_it_ran() -> None:
    """It has a bar that fades, and the page does not say that nothing ran after it."""
    killed = AttemptRecord("INTERRUPTED", started_at="2026-01-01T00:00:05+00:00", host="h")
    jobs = [job(0, start_s=0, duration_s=5.0, pid=1), job(1, start_s=3600, duration_s=5.0, pid=1, earlier=(killed,))]
    page = page_of(a_run(*jobs))
    assert data_of(page)["timeline"]["earlier"]["statuses"] == ["I"]
    assert "Nothing is known to have run for 59 min 55 s" in page
    assert "A bar that fades" in page
