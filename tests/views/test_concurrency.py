"""How many jobs ran at once, and what became of each."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.concurrency import concurrency_text, highest_at_once, job_states


def time(second: float) -> str:
    """A moment of one minute."""
    return f"2026-01-01T00:00:{second:09.6f}+00:00"


def job(number: int, start: float, end: float | None, status: str = "COMPLETED", **more: Any) -> JobRecord:
    """A job of some seconds."""
    ended_at = None if end is None else time(end)
    return JobRecord(number, status, (f"x={number}",), started_at=time(start), ended_at=ended_at, **more)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([], 0),
        ([job(0, 0, 5), job(1, 5, 9)], 1),
        ([job(0, 0, 5), job(1, 4, 9), job(2, 4.5, 4.6)], 3),
        ([job(0, 1, 1), job(1, 1, 1)], 2),
        ([job(0, 0, None, "INTERRUPTED"), job(1, 5, 9)], 1),
        ([job(0, 0, 9), job(1, 5, None, "INTERRUPTED")], 2),
        ([job(0, 0, None, "RUNNING"), job(1, 5, 9)], 2),
        ([JobRecord(0, "INTERRUPTED")], 0),
        # the clock was put back, or forward, while the first job ran
        ([job(0, 10, 3, duration_s=5), job(1, 12, 20, duration_s=8)], 2),
        ([job(0, 0, 30, duration_s=1), job(1, 2, 3, duration_s=1)], 1),
    ],
)
def test_the_highest_number_at_once(jobs: list[JobRecord], expected: int) -> None:
    """Jobs one after another are one at once, also where one ends as the next starts."""
    assert highest_at_once(jobs) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), max_size=12), st.randoms())
def test_it_is_what_counting_at_every_moment_gives(spans: list[tuple[int, int]], random: Any) -> None:
    """The same as looking at each half second, in whatever order the jobs stand."""
    jobs = [job(number, start, start + length) for number, (start, length) in enumerate(spans)]
    random.shuffle(jobs)
    moments = [moment + 0.5 for moment in range(40)]
    counted = max(sum(start < moment < start + length for start, length in spans) for moment in moments)
    assert highest_at_once(jobs) == counted


def test_the_state_of_every_job(tmp_path: Path) -> None:
    """By the launcher's id, or the number where it gives none, or both where it gives one twice."""
    jobs = (
        job(0, 0, 5, job_id="a"),
        job(1, 1, 6, "FAILED", job_id="b"),
        job(2, 2, None, "INTERRUPTED", job_id="b"),
        job(3, 3, None, "RUNNING"),
    )
    run = RunRecord("r", tmp_path, "MULTIRUN", "RUNNING", jobs)
    states = job_states(run)
    assert (states["jobs_started"], states["highest_at_once"], states["not_finished"]) == (4, 3, [2, 3])
    assert list(states["jobs"]) == ["a", "b (job 1)", "b (job 2)", "3"]
    assert [(state["status"], state["success"]) for state in states["jobs"].values()] == [
        ("completed", True),
        ("failed", False),
        ("interrupted", False),
        ("running", None),
    ]
    assert states["jobs"]["a"] | {"status": "", "success": ""} == {
        "job_num": 0,
        "status": "",
        "start_time": time(0),
        "end_time": time(5),
        "success": "",
    }
    assert concurrency_text(run).splitlines()[1:] == ["  job 2 INTERRUPTED: x=2", "  job 3 RUNNING: x=3"]
    assert "1 job," in concurrency_text(RunRecord("r", tmp_path, "MULTIRUN", "COMPLETED", jobs[:1]))


def test_two_processes_may_have_the_same_number() -> None:
    """In two containers of one host name: an interrupted job of one did not end when the other started a job."""
    jobs = [
        JobRecord(num, status, started_at=f"2026-01-01T00:00:0{num}+00:00", host="pod", pid=1, born=f"boot:{num}:{num}")
        for num, status in enumerate(("INTERRUPTED", "RUNNING"))
    ]
    assert highest_at_once(jobs) == 2
