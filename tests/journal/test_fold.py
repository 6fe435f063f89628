"""Each field of a job's record, from the lines that state it: whole, damaged, and of several attempts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from journals import a_job, a_run

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.metric import Metric
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import AttemptRecord, JobRecord
from hydra_callback_kit.journal.writer import write_line

START = "2026-01-01T00:00:0{}+00:00"
LOSS = Metric.of(0.5, 1)
STARTED = {
    "job_id": "17_3",
    "job_name": "app",
    "overrides": ["x=3", "y=[1,2]"],
    "output_dir": "out/3",
    "attempt_number": 1,
    "world_size": 4,
}
ENDED = {
    "status": "FAILED",
    "return_value": {"a": [1.5]},
    "error": {"type": "ValueError", "message": "boom", "traceback": "at", "bases": ["Exception"]},
    "duration_s": 2.5,
    "metrics": {"loss": LOSS._asdict()},
    "metrics_file": "points",
}


def record_of(root: Path, *attempts: tuple[str, Mapping[str, Any], Mapping[str, Any] | None], **facts: Any) -> JobRecord:
    """Job 3, by what its attempts state at their start and at their end; each begins two seconds after the one before."""
    writer._files.clear()
    run = a_run(root)
    for place, (attempt, started, ended) in enumerate(attempts):
        job = a_job(run, 3, attempt)
        write_line(run, "job_started", started, job, time=START.format(2 * place))
        if facts:
            write_line(run, "job_facts", facts, job, time=START.format(2 * place))
        if ended is not None:
            write_line(run, "job_ended", ended, job, time=START.format(2 * place + 1))
    (job,) = read_run(root, sight=Sight(is_alive=lambda process: False)).jobs
    return job


def test_a_job_that_says_everything(tmp_path: Path) -> None:
    """No fact of the package's own is among those that callbacks add."""
    assert record_of(tmp_path, ("1", STARTED, ENDED), cpu_s=1.5, files={"x": 1}, requeued=False) == JobRecord(
        job_num=3,
        status="FAILED",
        task_overrides=("x=3", "y=[1,2]"),
        return_value={"a": [1.5]},
        error=JobError("ValueError", "boom", "at", ("Exception",)),
        job_id="17_3",
        job_name="app",
        started_at=START.format(0),
        ended_at=START.format(1),
        duration_s=2.5,
        attempts=1,
        host=this_process().host,
        pid=this_process().pid,
        born=this_process().born,
        root=tmp_path,
        subdir="out/3",
        facts={"cpu_s": 1.5},
        metrics={"loss": LOSS},
        metrics_file="points",
        reported_by=("3.1",),
        world_size=4,
        is_rank=True,
    )


def test_a_job_that_says_nothing(tmp_path: Path) -> None:
    """Its process is gone."""
    expected = JobRecord(3, "INTERRUPTED", started_at=START.format(0), root=tmp_path)
    expected.host, expected.pid, expected.born = this_process()
    assert record_of(tmp_path, ("1", {}, None)) == expected


@pytest.mark.parametrize("damage", [7, 1.5, "text", [1], {"a": 1}, True, None], ids=str)
def test_what_a_damaged_journal_states_is_taken_only_as_what_it_should_be(tmp_path: Path, damage: Any) -> None:
    """Nothing raises, and no field is of another type."""
    job = record_of(tmp_path, ("1", dict.fromkeys(STARTED, damage), {**dict.fromkeys(ENDED, damage), "status": "FAILED"}))
    text = damage if isinstance(damage, str) else None
    assert (job.job_id, job.job_name, job.subdir, job.metrics_file) == (text, text, text, text)
    assert job.task_overrides == (("1",) if isinstance(damage, list) else ())
    assert job.world_size == (damage if type(damage) is int else None)
    assert job.attempts == (damage if type(damage) is int else 1)
    assert job.error == (JobError("", "", "") if isinstance(damage, dict) else None)
    assert job.duration_s == (damage if type(damage) in (int, float) else None)
    assert job.metrics == {}
    assert job.return_value == damage
    assert not job.rerun


def test_a_job_that_was_started_three_times(tmp_path: Path) -> None:
    """The record is that of the last attempt, those before are told of in their order."""
    again = {**STARTED, "job_id": "18_3", "attempt_number": 2, "overrides": ["x=4"]}
    third = {**STARTED, "job_id": "19_3", "attempt_number": 3, "overrides": ["x=5"]}
    job = record_of(
        tmp_path, ("1", STARTED, ENDED), ("2", again, None), ("3", third, {"status": "COMPLETED", "metrics_file": "points"})
    )
    assert (job.status, job.attempts, job.job_id, job.first_job_id) == ("COMPLETED", 3, "19_3", "17_3")
    assert (job.task_overrides, job.error, job.return_value, job.duration_s) == (("x=5",), None, None, None)
    assert (job.started_at, job.ended_at) == (START.format(4), START.format(5))
    assert job.reported_by == ("3.1", "3.2", "3.3")
    error = JobError("ValueError", "boom", "at", ("Exception",))
    host = this_process().host
    assert job.earlier == (
        AttemptRecord("FAILED", ("x=3", "y=[1,2]"), error, START.format(0), START.format(1), 2.5, host),
        AttemptRecord("INTERRUPTED", ("x=4",), None, START.format(2), None, None, host),
    )


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "INTERRUPTED"])
def test_a_job_has_ended_as_it_says(tmp_path: Path, status: str) -> None:
    """Whatever has become of its process."""
    assert record_of(tmp_path, ("1", STARTED, {"status": status})).status == status


def test_the_number_of_an_attempt_counts_those_that_left_nothing(tmp_path: Path) -> None:
    """An attempt says which it is; a number that cannot be is none."""
    assert record_of(tmp_path / "5", ("1", {"attempt_number": 5}, None)).attempts == 5
    for name, wrong in enumerate((0, -1, True, 10**7)):
        assert record_of(tmp_path / f"wrong{name}", ("1", {"attempt_number": wrong}, None)).attempts == 1


def test_a_job_that_rerun_has_started(tmp_path: Path) -> None:
    """What started it on a cluster is its id then; without `rerun` it is the launcher's."""
    batch = {"system": "slurm", "job": "99", "restarts": 0}
    by_rerun = {**STARTED, "attempt_number": 2, "rerun": True, "job_id": "rerun", "batch": batch}
    job = record_of(tmp_path / "rerun", ("1", STARTED, ENDED), ("2", by_rerun, {"status": "COMPLETED"}))
    assert (job.rerun, job.job_id, job.first_job_id) == (True, "99", "17_3")
    job = record_of(tmp_path / "launcher", ("1", {**STARTED, "batch": batch}, ENDED))
    assert (job.rerun, job.job_id, job.first_job_id) == (False, "17_3", None)


@pytest.mark.parametrize("rerun", [False, True])
def test_hidden_values_keep_the_numbers_that_they_had_first(tmp_path: Path, rerun: bool) -> None:
    """Another process numbers them anew; of a job that never started before, those that it was launched with count."""
    first, again = {"overrides": ["token=<redacted 1>"]}, {"overrides": ["token=<redacted 2>"], "rerun": rerun}
    for name, attempts, number in (
        ("once", [("1", again, None)], 7 if rerun else 2),
        ("twice", [("1", first, None), ("2", {**again, "attempt_number": 2}, None)], 1),
    ):
        writer._files.clear()
        write_line(a_run(tmp_path / name), "jobs_launched", {"launched": {"3": ["token=<redacted 7>"]}})
        assert record_of(tmp_path / name, *attempts).task_overrides == (f"token=<redacted {number}>",)
