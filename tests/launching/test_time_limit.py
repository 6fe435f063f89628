"""What time limits do between sweeper and launcher, on records that are written by hand."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hydra.core.utils import JobReturn, JobStatus

from hydra_callback_kit import JobTimeoutError, SweepTimeoutError
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.last_words import LastWordsFile, take_last_words
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.launching.deadline import Deadline
from hydra_callback_kit.launching.limited import LimitedTask, Limits
from hydra_callback_kit.launching.lost import VALUELESS_AGAIN
from hydra_callback_kit.launching.policy import Next, Round
from hydra_callback_kit.launching.time_limit import OthersAgain, TimeLimit

LATER, OVER = Deadline.of(1e6), Deadline.of(1e6)._replace(monotonic_s=0.0)
BATCH = {num: [f"x={num}"] for num in range(4)}


class Stopped(Exception):  # noqa: N818  it is no error
    """Stands for the end of the sweep."""


def stop(message: str) -> NoReturn:
    """Ends the sweep."""
    raise Stopped(message)


@pytest.fixture
def run(tmp_path: Path) -> RunIdentity:
    """A sweep that has started."""
    run = RunIdentity("20260101T000000000000-00000000", tmp_path, "MULTIRUN")
    write_line(run, "run_started", {"mode": "MULTIRUN", "planned_jobs": 4, "launcher": "joblib"})
    return run


def policies(
    run: RunIdentity, deadline: Deadline | None = None, *, interrupts: bool = False
) -> tuple[TimeLimit, OthersAgain]:
    """What acts on a sweep of jobs that may take 5 s."""
    limit = TimeLimit(run, Limits(5.0, 1.0, interrupts, deadline), stop, looks_at_values=True)
    return limit, OthersAgain(limit)


def job_of(run: RunIdentity, num: int) -> JobIdentity:
    """An attempt at a job."""
    return JobIdentity(run, num, f"abc/{num}/0", this_process().pid, None, "app", (f"x={num}",), run.root / str(num))


def wrote(run: RunIdentity, num: int, end: Mapping[str, Any] | None, born: str = "0:0") -> None:
    """Lines of a job whose process is gone."""
    job = job_of(run, num)
    lines = [("job_started", {"output_dir": str(num)}), *([("job_ended", end)] if end is not None else [])]
    for event, facts in lines:
        write_line(run, event, facts, job)
    for file in (run.root / ".callbacks").glob("*.jsonl"):
        born_now = this_process().born
        assert born_now
        kept = [
            line.replace(f'"born":"{born_now}"', f'"born":"{born}"') if f'"job":{num}' in line else line
            for line in file.read_text("utf-8").splitlines(keepends=True)
        ]
        file.write_text("".join(kept), "utf-8")


def lost(returned: Mapping[int, JobReturn] | None = None) -> Round:
    """A launch that raised."""
    return Round(BATCH, returned or {}, RuntimeError("the pool is gone"))


def home(**values: Any) -> dict[int, JobReturn]:
    """What came home."""
    return {
        int(name[1:]): JobReturn(
            status=JobStatus.FAILED if isinstance(value, Exception) else JobStatus.COMPLETED, _return_value=value
        )
        for name, value in values.items()
    }


def test_the_task_function_is_limited_where_it_is_called(run: RunIdentity) -> None:
    """By what travels to the jobs."""
    (limit, _) = policies(run)
    task = limit.task_of_jobs(len)
    assert isinstance(task, LimitedTask)
    assert task([1, 2]) == 2


def test_nothing_is_said_of_a_launch_that_is_as_it_should_be(run: RunIdentity) -> None:
    """Nor of one that raised for another reason: its own error comes out."""
    limit, others = policies(run, LATER)
    assert limit.answers(BATCH) == {}
    launched = Round(BATCH, home(n0=1, n1=JobTimeoutError("too long"), n2=2, n3=3))
    assert (limit.after(launched), others.after(launched)) == (None, None)
    wrote(run, 0, {"status": "COMPLETED", "return_value": 1})
    wrote(run, 1, None)
    assert (limit.after(lost()), others.after(lost())) == (None, None)


DUMP = b"""Timeout!
Thread 1:
  job_watch.py, line 1

Thread 2:
  app.py, line 3 in main
  launching/limited.py, line 1
  hydra/core/utils.py, line 1
"""
KILLED = {"status": "FAILED", "error": {"type": "hydra_callback_kit.JobTimeoutError", "message": "m", "traceback": ""}}


@pytest.mark.parametrize("interrupts", [False, True])
@pytest.mark.parametrize("says_so", [False, True])
def test_where_a_job_was_killed_the_others_start_again(
    run: RunIdentity, says_so: bool, interrupts: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """By its own word, or by what a thread of C has left; each has one answer or starts again."""
    limit, others = policies(run, LATER, interrupts=interrupts)
    limit.answers(BATCH)
    status = "INTERRUPTED" if interrupts else "FAILED"
    wrote(run, 0, {"status": "COMPLETED", "return_value": 7})
    wrote(run, 1, {**KILLED, "status": status, "killed_by": "time_limit_callback"} if says_so else None)
    wrote(run, 2, None)
    words = [LastWordsFile(job_of(run, num)) for num in ((2,) if says_so else (1, 2))]
    if not says_so:
        with open(words[0].descriptor, "wb", closefd=False) as file:
            file.write(DUMP)
    assert limit.after(lost()) is None
    what = others.after(lost())
    assert what is not None
    assert what.batch == {2: ["x=2"], 3: ["x=3"]}
    assert {num: each.status for num, each in what.answers.items()} == {0: JobStatus.COMPLETED, 1: JobStatus.FAILED}
    assert what.answers[0].return_value == 7
    assert isinstance(what.answers[1]._return_value, JobTimeoutError)
    job = read_run(run.root).jobs[1]
    assert (job.status, job.facts["killed_by"]) == (status, "time_limit_callback")
    assert job.error
    assert job.error.type == "hydra_callback_kit.JobTimeoutError"
    if not says_so:
        why = "the job took longer than job_s=5, in code that does not come back to Python: its process was killed"
        assert (job.error.message, job.error.traceback) == (why, "Thread 2:\n  app.py, line 3 in main")
        assert (job.duration_s, job.attempts, job.task_overrides) == (5 + 1 + 2, 1, ())
        assert f"Job 1 is {status}: {why}." in caplog.messages
        assert job.host == this_process().host
    assert not [*(run.root / ".callbacks").glob("*.last-words")]
    for each in words:
        each.remove()


def test_each_job_is_started_again_for_its_own_reason(run: RunIdentity, caplog: pytest.LogCaptureFixture) -> None:
    """Lost with the worker, never started, or done, with a value that only a text is left of."""
    limit, others = policies(run, LATER)
    limit.answers(BATCH)
    wrote(run, 0, {"status": "COMPLETED", "return_value": object()})
    wrote(run, 1, {**KILLED, "killed_by": "time_limit_callback"})
    wrote(run, 2, None)
    assert limit.after(lost()) is None
    what = others.after(lost())
    assert what is not None
    assert (what.batch.keys(), what.answers.keys()) == ({0, 2, 3}, {1})
    assert [record.getMessage() for record in caplog.records] == [
        "Lost with the worker that was killed, and started again: job 2",
        "Started now, for the launcher gave up before: job 3",
        f"{VALUELESS_AGAIN}: job 0",
    ]


def test_a_value_that_is_lost_as_the_time_is_over_fails_the_job(run: RunIdentity) -> None:
    """It is not run again, and nobody gets another value."""
    limit, _ = policies(run, OVER)
    wrote(run, 0, {"status": "COMPLETED", "return_value": object()})
    wrote(run, 1, {**KILLED, "killed_by": "time_limit_callback"})
    what = limit.after(Round({num: BATCH[num] for num in range(2)}, {}, RuntimeError("the pool is gone")))
    assert what is not None
    assert (what.batch, what.answers.keys(), what.answers[0].status) == ({}, {0}, JobStatus.FAILED)


def test_what_was_killed_in_one_launch_is_not_killed_in_the_next(run: RunIdentity) -> None:
    """The next one may raise for another reason, which comes out."""
    limit, others = policies(run)
    limit.answers(BATCH)
    wrote(run, 1, {**KILLED, "killed_by": "time_limit_callback"})
    wrote(run, 2, None)
    limit.after(lost())
    assert others.after(lost()) is not None
    again = Round({2: ["x=2"]}, {}, RuntimeError("the pool is gone"))
    assert (limit.after(again), others.after(again)) == (None, None)


def test_a_batch_that_comes_too_late_ends_the_sweep(run: RunIdentity) -> None:
    """What is left is said, and how to run it; a batch in which nothing is left is none."""
    limit, _ = policies(run, OVER)
    assert limit.answers({}) == {}
    with pytest.raises(Stopped) as stopped:
        limit.answers(BATCH)
    assert str(stopped.value) == (
        "Jobs 0-3 were not started, nor is any that would follow: the time of the sweep is over (sweep_s=1e+06).\n"
        f"To run what is left: hydra-callback-kit rerun {run.root} --missing"
    )


def test_one_job_that_was_not_started_is_one(run: RunIdentity) -> None:
    """In words."""
    limit, _ = policies(run, OVER)
    with pytest.raises(Stopped) as stopped:
        limit.answers({2: BATCH[2]})
    assert str(stopped.value).startswith("Job 2 was not started, nor is any that would follow: the time")


def test_jobs_that_were_refused_end_the_sweep(run: RunIdentity) -> None:
    """Those that have ended are on record as they are."""
    limit, _ = policies(run, OVER)
    with pytest.raises(Stopped, match=r"^Jobs 2-3 were not started"):
        limit.after(Round(BATCH, home(n0=1, n1=ValueError(1), n2=SweepTimeoutError("no"), n3=SweepTimeoutError("no"))))


def test_nothing_is_tried_again_once_the_time_is_over(run: RunIdentity) -> None:
    """What has failed is answered for before a retry is asked."""
    limit, _ = policies(run, OVER)
    launched = Round(BATCH, home(n0=1, n1=ValueError(1), n2=2, n3=3))
    assert limit.after(launched) == Next(answers={1: launched.returned[1]})


def test_what_a_pool_has_lost_is_left_once_the_time_is_over(run: RunIdentity) -> None:
    """It is not started again, and said."""
    limit, _ = policies(run, OVER)
    wrote(run, 1, {**KILLED, "killed_by": "time_limit_callback"})
    wrote(run, 0, {"status": "COMPLETED", "return_value": 7})
    with pytest.raises(Stopped, match=r"^Jobs 2-3 were not started"):
        limit.after(lost())


def test_last_words_that_others_wrote_are_left_alone(run: RunIdentity, tmp_path: Path) -> None:
    """Those of jobs that may run, and what cannot be read."""
    file = LastWordsFile(job_of(run, 1))
    name = f"{run.run_id}.1.%s.last-words"
    folder = tmp_path / ".callbacks"
    for what, text in {"a": "", "b": "[]\n", "c": "[null, 3]\n", "d": "{\n", "e": '["x", 1]\nwhere'}.items():
        (folder / (name % what)).write_text(text)
    (folder / (name % "f")).mkdir()
    assert not [*take_last_words(run, [0, 2])]
    assert len([*folder.glob("*.last-words")]) == 7
    file.remove()
    file.remove()
    assert len([*folder.glob("*.last-words")]) == 6
