"""Jobs of one run become jobs of another: all that is on record of them, and from where they are."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import pytest
from journals import a_job, a_run, lines_of, write_job, write_sweep

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.taken_over import FACT, take_over
from hydra_callback_kit.journal.writer import write_line

OTHER = "20260102T000000-bb"


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The directory of a sweep of four jobs, of which one was started twice."""
    return write_sweep(tmp_path / "earlier").root


def taken(root: Path, numbers: Mapping[int, int], to: Path, run_id: str = "20260101T000000-aa") -> dict[int, JobRecord]:
    """The jobs of a run in a directory of its own that has taken these over."""
    writer._files.clear()
    run = a_run(to, OTHER)
    write_line(run, "run_started", {"mode": "MULTIRUN"})
    take_over(root, run_id, numbers, run)
    return {job.job_num: job for job in read_run(to).jobs}


def test_what_is_on_record_of_them_and_nothing_else(earlier: Path, tmp_path: Path) -> None:
    """Their numbers are those that they have here, their directories stay where they are."""
    before = {job.job_num: job for job in read_run(earlier).jobs}
    jobs = taken(earlier, {0: 5, 3: 0, 9: 1}, tmp_path / "later")
    assert list(jobs) == [0, 5]
    assert jobs[5].facts == {"cpu_s": 1.5, FACT: str(earlier)}
    assert math.isnan(jobs[5].return_value)
    assert (jobs[0].return_value, jobs[0].attempts, jobs[0].earlier) == ({"a": 1}, 2, before[3].earlier)
    for new, old in ((5, 0), (0, 3)):
        assert jobs[new].output_dir == earlier / str(old)
        assert (jobs[new].status, jobs[new].started_at, jobs[new].ended_at, jobs[new].task_overrides) == (
            before[old].status,
            before[old].started_at,
            before[old].ended_at,
            before[old].task_overrides,
        )
    assert read_run(tmp_path / "later").broken_lines == ()
    assert all(json.loads(line)["run"] == OTHER for line in lines_of(tmp_path / "later"))


def test_what_was_taken_over_before_is_from_where_it_was(earlier: Path, tmp_path: Path) -> None:
    """Through any number of runs; the directory of such a job is an absolute path already."""
    taken(earlier, {0: 5}, tmp_path / "later")
    (last,) = taken(tmp_path / "later", {5: 2}, tmp_path / "last", OTHER).values()
    assert (last.job_num, last.facts[FACT], last.output_dir) == (2, str(earlier), earlier / "0")


def test_a_job_without_a_start_says_no_more_than_it_does(tmp_path: Path) -> None:
    """What else is said of it is taken over all the same."""
    run = a_run(tmp_path / "earlier")
    write_line(run, "job_facts", {"cpu_s": 1.5}, a_job(run, 0))
    (job,) = taken(run.root, {0: 0}, tmp_path / "later").values()
    assert (job.facts, job.subdir) == ({"cpu_s": 1.5}, None)


def test_a_line_of_a_strangers_that_json_has_no_word_for_is_left_out(tmp_path: Path) -> None:
    """The others are not."""
    run = a_run(tmp_path / "earlier")
    write_job(run, 0, "COMPLETED", return_value=1)
    (file,) = (run.root / ".callbacks").glob("*.jsonl")
    file.write_text(file.read_text("utf-8").replace('"return_value":1', '"return_value":NaN'), "utf-8")
    (job,) = taken(run.root, {0: 0}, tmp_path / "later").values()
    assert job.ended_at is None
    assert job.task_overrides == ("x=0",)
