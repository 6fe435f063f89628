"""What the ranks of a distributed job make of its record."""

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest
from journals import a_job, a_run, lines_of, rewritten

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.follower import RunFollower
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.journal_lines import attempts_at
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.writer import write_line


def write_rank(run: RunIdentity, rank: int, status: str | None, attempt: str = "1", **facts: Any) -> None:
    """Writes what a rank of job 0 writes; rank 0 is the job. Without a status it never ends."""
    job = a_job(run, 0, attempt)._replace(rank=rank)
    what = "rank" if rank else "job"
    write_line(run, f"{what}_started", {"world_size": 3}, job)
    if facts:
        write_line(run, f"{what}_facts", facts, job)
    if status is not None:
        error = {"type": "ValueError", "message": f"by {rank}", "traceback": ""} if status == "FAILED" else None
        write_line(run, f"{what}_ended", {"status": status, "duration_s": 1.0 + rank, "error": error}, job)


@pytest.fixture
def run(tmp_path: Path) -> RunIdentity:
    """A run that has started."""
    writer._files.clear()
    started = a_run(tmp_path)
    write_line(started, "run_started", {"mode": "RUN"})
    return started


def job_of(run: RunIdentity, *, alive: bool = False) -> JobRecord:
    """The only job of the run."""
    (job,) = read_run(run.root, sight=Sight(is_alive=lambda process: alive)).jobs
    return job


def followed(run: RunIdentity, *, alive: bool = False) -> list[str]:
    """Its status as one sees it who follows the journal."""
    follower = RunFollower(run.root, run.run_id)
    follower.look()
    return [status for status, jobs in follower.jobs(is_alive=lambda process: alive).items() if jobs]


@pytest.mark.parametrize(
    ("statuses", "expected", "error"),
    [
        (("COMPLETED", "COMPLETED"), "COMPLETED", None),
        (("COMPLETED", "FAILED"), "FAILED", f"rank 1 on {this_process().host}: by 1"),
        (("FAILED", "COMPLETED"), "FAILED", "by 0"),
        (("FAILED", "FAILED"), "FAILED", "by 0"),
        ((None, "FAILED"), "FAILED", f"rank 1 on {this_process().host}: by 1"),
        ((None, "COMPLETED"), "INTERRUPTED", None),
    ],
)
def test_a_rank_that_failed_fails_the_job(
    run: RunIdentity, statuses: tuple[str | None, str | None], expected: str, error: str | None
) -> None:
    """Whatever rank 0 says; of several the first counts. It is one job, and one attempt at it."""
    for rank, status in enumerate(statuses):
        write_rank(run, rank, status)
    job = job_of(run)
    assert (job.status, job.error and job.error.message, job.attempts) == (expected, error, 1)
    assert [(rank.rank, rank.pid) for rank in job.ranks] == [(0, os.getpid()), (1, os.getpid())]
    assert job.world_size == 3
    assert job.duration_s == (1.0 if statuses[0] else None)
    assert followed(run) == [expected]


def test_the_first_failure_counts_and_a_job_that_runs_still_runs(run: RunIdentity) -> None:
    """Torchrun ends the others of one that failed: what they say is not why."""
    write_rank(run, 2, "FAILED")
    assert [job.status for job in read_run(run.root).jobs] == []
    write_rank(run, 0, None)
    assert (job_of(run, alive=True).status, followed(run, alive=True)) == ("RUNNING", ["RUNNING"])
    write_rank(run, 1, "FAILED")
    write_rank(run, 0, "FAILED")
    error = job_of(run).error
    assert error is not None
    assert error.message.endswith("by 2")


def test_a_rank_that_failed_without_saying_why(run: RunIdentity) -> None:
    """It left by an exit code, say."""
    write_rank(run, 0, "COMPLETED")
    write_rank(run, 1, None)
    write_line(run, "rank_ended", {"status": "FAILED"}, a_job(run, 0)._replace(rank=1))
    job = job_of(run)
    assert (job.status, job.error) == ("FAILED", JobError("", f"rank 1 on {this_process().host}: it failed", ""))


def test_a_rank_that_is_gone_interrupts_a_job_that_says_it_completed(run: RunIdentity) -> None:
    """One that was killed; one that still runs, or cannot be seen, does not keep the job from being complete."""
    write_rank(run, 0, "COMPLETED")
    write_rank(run, 1, None)
    assert job_of(run, alive=True).status == "COMPLETED"
    gone = job_of(run)
    assert gone.status == "INTERRUPTED"
    assert gone.error is not None
    assert gone.error.headline == f"rank 1 on {this_process().host}: it is gone, and did not end"
    (unseen,) = read_run(run.root, sight=Sight(is_alive=lambda process: None)).jobs
    assert (unseen.status, unseen.ranks[1].status) == ("COMPLETED", "RUNNING")


def test_ranks_of_an_earlier_attempt_are_of_that_one(run: RunIdentity) -> None:
    """A restart after a rank has failed."""
    write_rank(run, 0, "COMPLETED")
    write_rank(run, 1, "FAILED")
    write_rank(run, 0, "COMPLETED", attempt="2")
    write_rank(run, 1, "COMPLETED", attempt="2")
    job = job_of(run)
    assert (job.status, job.attempts, [rank.status for rank in job.ranks]) == ("COMPLETED", 2, ["COMPLETED"] * 2)
    assert followed(run) == ["COMPLETED"]
    assert attempts_at(run.root, run.run_id, 0) == 2
    assert attempts_at(run.root, run.run_id, 0, but="0.2") == 1


def test_resources_add_up_and_other_facts_are_the_ranks_own(run: RunIdentity) -> None:
    """The job's memory is that of all its processes."""
    for rank in range(3):
        write_rank(run, rank, "COMPLETED", resources={"samples": 2 - rank, "cpu_cores": 0.25, "file": f"{rank}.csv"}, x=rank)
    job = job_of(run)
    assert job.facts == {"resources": {"samples": 2, "cpu_cores": 0.75, "file": "0.csv"}, "x": 0}
    assert [rank.facts.get("x") for rank in job.ranks] == [None, 1, 2]
    assert [rank.facts["resources"]["cpu_cores"] for rank in job.ranks] == [0.25, 0.25, 0.25]


def test_the_order_of_the_lines_and_repeated_ones_change_nothing(run: RunIdentity) -> None:
    """As for all that is in the journal."""
    for rank, status in enumerate(("COMPLETED", "FAILED", None)):
        write_rank(run, rank, status, resources={"peak_memory_bytes": 10})
    lines = lines_of(run.root)
    expected = repr(rewritten(run.root, lines))
    assert "FAILED" in expected
    for order in itertools.islice(itertools.permutations(lines), 0, None, 90_001):
        assert repr(rewritten(run.root, [*order, order[3]])) == expected


@pytest.mark.parametrize("wrong", [{"rank": 0}, {"rank": -1}, {"rank": "1"}, {"rank": None}, {"rank": True}, {"job": None}])
def test_a_line_of_a_rank_says_which(run: RunIdentity, wrong: dict[str, Any]) -> None:
    """One that does not is named, and the rest is read."""
    write_rank(run, 0, "COMPLETED")
    write_rank(run, 1, "FAILED")
    lines = lines_of(run.root)
    broken = [json.dumps({**json.loads(line), **wrong}).encode() + b"\n" for line in lines if b"rank_ended" in line]
    record = rewritten(run.root, [line for line in lines if b"rank_" not in line] + broken)
    assert len(record.broken_lines) == 1
    assert record.jobs[0].status == "COMPLETED"
