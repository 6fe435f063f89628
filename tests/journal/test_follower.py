"""Following a journal: what the follower says is what the reader says, however the journal grows."""

import os
import random
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra_callback_kit.journal.follower import RunFollower
from hydra_callback_kit.journal.format import MAX_LINE, Status
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.reader import read_run

HEAD = '"v":1,"run":"20260101T000000-aa","host":"here","pid":%d,"born":"b"'
EVENTS = st.tuples(
    st.integers(0, 4),
    st.sampled_from(["a", "b"]),
    st.sampled_from(
        ["job_started", "job_started again", "COMPLETED", "FAILED", "INTERRUPTED", "job_requeued", "job_facts", "broken"]
    ),
)


def line(second: int, job: int, attempt: str, event: str) -> str:
    """A line of the journal, or what is left of one."""
    if event == "broken":
        return '{"v":1,"time":'
    number = ',"attempt_number":2' if event.endswith("again") else ""
    facts = f'{{"status":"{event}"}}' if event.isupper() else f'{{"overrides":["x=1"]{number}}}'
    facts = '{"requeued":true}' if event == "job_requeued" else facts
    event = "job_ended" if event.isupper() else event.split(maxsplit=1)[0]
    time = f"2026-01-01T00:00:{second:02d}+00:00"
    return f'{{"event":"{event}","time":"{time}",{HEAD % (job + 1)},"job":{job},"attempt":"{job}{attempt}","facts":{facts}}}'


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(events=st.lists(EVENTS, max_size=30, unique=True), cuts=st.randoms(use_true_random=False))
def test_it_sees_what_the_reader_sees(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, str, str]], cuts: random.Random
) -> None:
    """Whatever a look finds, half a line or several files: at the end the statuses are the reader's."""
    root = tmp_path_factory.mktemp("run")
    journal = root / ".callbacks"
    journal.mkdir()
    started: dict[tuple[int, str], int] = {}
    for second, (job, attempt, event) in enumerate(events):
        if event.startswith("job_started"):
            started.setdefault((job, attempt), second)
    written = [
        line(second, *event)
        for second, event in enumerate(events)
        # a job's lines come after its start
        if event[2] == "broken" or started.get(event[:2], 99) <= second
    ]
    files = [journal / f"20260101T000000-aa.{name}.jsonl" for name in "12"]
    follower = RunFollower(root, "20260101T000000-aa")
    for text in written:
        with cuts.choice(files).open("a", encoding="utf-8") as file:
            half = cuts.randrange(len(text))
            file.write(text[:half])
            file.flush()
            if cuts.random() < 0.3:
                follower.look()
            file.write(text[half:] + "\n")
    follower.look()
    if not written:
        return
    gone = {process: cuts.random() < 0.5 for process in range(1, 6)}
    record = read_run(root, sight=Sight(is_alive=lambda process: not gone[process.pid]))
    expected: dict[Status, set[int]] = {"COMPLETED": set(), "FAILED": set(), "INTERRUPTED": set(), "RUNNING": set()}
    for job in record.jobs:
        expected[job.status].add(job.job_num)
    seen = follower.jobs(is_alive=lambda process: not gone[process.pid])
    assert {status: {job.job_num for job in jobs} for status, jobs in seen.items()} == expected


def test_it_reads_only_what_is_new(tmp_path: Path) -> None:
    """What a look has read is not read again: a file that shrinks says nothing more."""
    file = tmp_path / ".callbacks" / "20260101T000000-aa.1.jsonl"
    file.parent.mkdir()
    file.write_text(line(0, 0, "a", "job_started") + "\n" + line(1, 0, "a", "FAILED") + "\n", "utf-8")
    follower = RunFollower(tmp_path, "20260101T000000-aa")
    follower.look()
    file.write_text("", "utf-8")
    follower.look()
    (failed,) = follower.jobs()["FAILED"]
    assert (failed.job_num, failed.overrides, failed.error) == (0, ("x=1",), None)


def test_a_journal_that_is_not_there_has_no_jobs(tmp_path: Path) -> None:
    """Before the first line, and after the directory has vanished."""
    follower = RunFollower(tmp_path, "x")
    follower.look()
    assert (follower.planned_jobs, follower.jobs()) == (
        None,
        {"COMPLETED": [], "FAILED": [], "INTERRUPTED": [], "RUNNING": []},
    )


def test_what_is_odd_is_passed_by_and_the_rest_counts(tmp_path: Path) -> None:
    """A line that is too long, whole or half, and a pipe in the place of a file, which is named when the rest was read."""
    journal = tmp_path / ".callbacks"
    journal.mkdir()
    os.mkfifo(journal / "20260101T000000-aa.0.jsonl")
    file = journal / "20260101T000000-aa.1.jsonl"
    tail = line(0, 7, "a", "FAILED")
    file.write_text("x" * MAX_LINE + tail, "utf-8")
    follower = RunFollower(tmp_path, "20260101T000000-aa")
    for more in ("\n" + line(0, 1, "a", "FAILED"), "\n"):
        with pytest.raises(OSError, match="not a regular file"):
            follower.look()
        assert follower.jobs()["FAILED"] == []
        with file.open("a", encoding="utf-8") as opened:
            opened.write(more)
    with pytest.raises(OSError, match="not a regular file"):
        follower.look()
    assert [job.job_num for job in follower.jobs()["FAILED"]] == [1]


def test_a_runs_id_is_no_pattern(tmp_path: Path) -> None:
    """It comes from a file's name, which may be anything."""
    for name in ("a*", "**x", "[a]"):
        (tmp_path / ".callbacks").mkdir(exist_ok=True)
        (tmp_path / ".callbacks" / f"{name}.1.jsonl").write_text(line(1, len(name), "a", "FAILED") + "\n", "utf-8")
        follower = RunFollower(tmp_path, name)
        follower.look()
        assert [job.job_num for job in follower.jobs()["FAILED"]] == [len(name)]


def test_the_start_of_a_run_says_how_many_jobs_there_will_be(tmp_path: Path) -> None:
    """What is no number says nothing; what a search expects is known until another number is."""
    (tmp_path / ".callbacks").mkdir()
    file = tmp_path / ".callbacks" / "20260101T000000-aa.one.jsonl"
    follower = RunFollower(tmp_path, "20260101T000000-aa")
    assert (follower.planned_jobs, follower.expected_jobs) == (None, None)
    for facts, planned, expected in (
        ('{"planned_jobs":3,"expected_jobs":5}', 3, 5),
        ('{"planned_jobs":"3","expected_jobs":"5"}', None, 5),
        ('{"planned_jobs":true,"expected_jobs":6}', None, 6),
        ("{}", None, 6),
    ):
        start = f'{{"event":"run_started","time":"2026-01-01T00:00:00+00:00",{HEAD % 1},"facts":{facts}}}\n'
        file.write_text((file.read_text() if file.exists() else "") + start)
        follower.look()
        assert (follower.planned_jobs, follower.expected_jobs) == (planned, expected)
    assert follower.jobs() == {status: [] for status in get_args(Status)}


def test_what_is_followed_of_a_job(tmp_path: Path) -> None:
    """Its process, its batch job, and with what it failed; of two ends in one moment the later line counts."""
    (tmp_path / ".callbacks").mkdir()
    lines = [
        line(0, 0, "a", "job_started").replace(
            '"overrides":["x=1"]', '"overrides":["x=1"],"batch":{"job":"7","restarts":1}'
        ),
        line(1, 0, "a", "COMPLETED"),
        line(1, 0, "a", "FAILED").replace(
            '"status":"FAILED"',
            '"status":"FAILED","error":{"type":"TrialPruned","message":"at 3","bases":["OptunaError","Exception"]}',
        ),
    ]
    name = "20260101T000000-aa.one.jsonl"
    (tmp_path / ".callbacks" / name).write_text("\n".join(lines) + "\n")
    follower = RunFollower(tmp_path, "20260101T000000-aa")
    follower.look()
    (job,) = follower.jobs()["FAILED"]
    assert (job.process, job.batch, job.file) == (ProcessIdentity("here", 1, "b"), ("7", 1), name)
    assert (job.overrides, job.number, follower.attempts(0), follower.attempts(1)) == (("x=1",), 1, 1, 0)
    assert (job.error, job.kinds) == (("TrialPruned", "at 3"), ("TrialPruned", "OptunaError", "Exception"))


def test_a_job_of_a_batch_system_may_wait_where_its_process_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not in the batch job that this process is in itself, nor where a rank has failed."""
    (tmp_path / ".callbacks").mkdir()
    started = line(0, 0, "a", "job_started").replace('"x=1"]', '"x=1"],"batch":{"job":"7","restarts":1}')
    alone = line(0, 1, "a", "job_started")
    failed = line(0, 2, "a", "job_started").replace('"x=1"]', '"x=1"],"batch":{"job":"7","restarts":1}')
    rank = line(1, 2, "a", "FAILED").replace("job_ended", "rank_ended").replace('"attempt":', '"rank":1,"attempt":')
    (tmp_path / ".callbacks" / "20260101T000000-aa.one.jsonl").write_text(f"{started}\n{alone}\n{failed}\n{rank}\n")
    follower = RunFollower(tmp_path, "20260101T000000-aa")
    follower.look()
    for own, waiting in ((None, [0]), (("7", 1, None), []), (("7", 0, None), [0]), (("8", 1, None), [0])):
        monkeypatch.setattr("hydra_callback_kit.journal.follower.batch_job", lambda own=own: own)
        jobs = follower.jobs(lambda _: False)
        assert [job.job_num for job in jobs["RUNNING"]] == waiting
        assert [job.job_num for job in jobs["INTERRUPTED"]] == sorted({0, 1} - set(waiting))
        assert [job.job_num for job in jobs["FAILED"]] == [2]
