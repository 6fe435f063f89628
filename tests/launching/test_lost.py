"""What became of the jobs of a launch: each has one answer, what came home counts, and the record tells of the rest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra.core.utils import JobReturn, JobStatus
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.errors import JobError, error_of
from hydra_callback_kit.journal.process import ProcessIdentity, this_process
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import Cut
from hydra_callback_kit.launching.lost import attempts_in, what_became
from hydra_callback_kit.launching.policy import Round

COMPLETED = JobReturn(status=JobStatus.COMPLETED, _return_value=7)
FAILED = JobReturn(status=JobStatus.FAILED, _return_value=FileNotFoundError("no file"))
BROKEN = RuntimeError("the pool is gone")
ELSEWHERE = {"host": "elsewhere", "pid": 1, "born": "0:1"}
HERE = dict(zip(("host", "pid", "born"), this_process(), strict=True))


def _record(**jobs: Mapping[str, Any]) -> RunRecord:
    records = tuple(JobRecord(job_num=int(num[1:]), **job) for num, job in jobs.items())
    return RunRecord("20260101T000000-aa", Path("/nowhere"), "MULTIRUN", "RUNNING", records)


def _round(count: int, returned: Mapping[int, JobReturn | None], error: BaseException | None = BROKEN) -> Round:
    return Round({num: [f"x={num}"] for num in range(count)}, returned, error)


def test_what_came_home_counts_and_of_the_rest_the_record_tells() -> None:
    """Done, failed, killed, never started, still running: each where it belongs."""
    error = JobError("torch.OutOfMemoryError", "no memory", "", ("RuntimeError", "Exception", "BaseException"))
    record = _record(
        j2={"status": "COMPLETED", "return_value": 2.5},
        j3={"status": "FAILED", "error": error},
        j4={"status": "INTERRUPTED"},
        j5={"status": "RUNNING", **ELSEWHERE},
        j7={"status": "FAILED"},
        j8={"status": "INTERRUPTED", "error": JobError("KeyboardInterrupt", "", "")},
        j9={"status": "INTERRUPTED", "error": JobError("", "rank 1 on a: it is gone, and did not end", "")},
    )
    became = what_became(_round(10, {0: COMPLETED, 1: FAILED}), record, {})
    assert {num: (each.overrides, each.return_value) for num, each in became.done.items()} == {
        0: (None, 7),
        2: (["x=2"], 2.5),
    }
    assert {num: each.kinds[:2] for num, each in became.failed.items()} == {
        1: ("FileNotFoundError", "OSError"),
        3: ("torch.OutOfMemoryError", "RuntimeError"),
        7: ("",),
        8: ("KeyboardInterrupt",),
    }
    assert became[2:] == ({4, 9}, {6}, {5}, set())
    assert became.lost == {4, 6, 9}


def test_an_attempt_of_before_tells_nothing_of_this_launch() -> None:
    """A job that failed, was launched again and never started is not a job that failed."""
    record = _record(j0={"status": "FAILED", "attempts": 2}, j1={"status": "COMPLETED", "attempts": 2})
    assert attempts_in(record) == {0: 2, 1: 2}
    became = what_became(_round(3, {}), record, {0: 2, 1: 1})
    assert (became.done.keys(), became.unstarted) == ({1}, {0, 2})


def test_what_the_launcher_ran_itself_has_failed_by_what_it_raised() -> None:
    """Hydra 1.3 calls no end hook for `sys.exit`, and the process lives."""
    left = SystemExit(3)
    record = _record(j0={"status": "RUNNING", **HERE})
    became = what_became(_round(2, {}, left), record, {}, this_process())
    assert became.failed == {0: error_of(left)}
    assert became.unstarted == {1}
    assert what_became(_round(1, {}, left), record, {}).running == {0}


@pytest.mark.parametrize(
    "value",
    [Cut(repr="<Model>", type="app.Model"), {"loss": [Cut(repr="0.5…", type="x")]}, "<redacted 3>", {"<redacted 3>": 1}],
)
def test_what_cannot_be_given_back_reaches_nobody_as_another_value(value: Any) -> None:
    """A text stands for it: who looks at values gets none; where nobody does, the job has completed."""
    record = _record(
        j0={"status": "COMPLETED", "return_value": value}, j1={"status": "COMPLETED", "return_value": [1, {"a": 2}]}
    )
    became = what_became(_round(2, {}), record, {})
    assert (became.valueless, {num: each.return_value for num, each in became.done.items()}) == ({0}, {1: [1, {"a": 2}]})
    assert what_became(_round(2, {}), record, {}, looks_at_values=False).done.keys() == {0, 1}
    assert what_became(_round(1, {0: COMPLETED}), record, {}).done == {0: COMPLETED}


def test_who_alone_was_lost_where_sys_exit_was_raised_has_failed_by_it() -> None:
    """As joblib raises it on Hydra 1.3. Of several nobody knows which it was."""
    left = SystemExit(3)
    record = _record(j0={"status": "COMPLETED", "return_value": 1}, j1={"status": "INTERRUPTED"})
    became = what_became(_round(3, {}, left), record, {})
    assert (became.failed, became.killed, became.unstarted) == ({1: error_of(left)}, set(), {2})
    two = _record(j0={"status": "INTERRUPTED"}, j1={"status": "INTERRUPTED"})
    assert what_became(_round(2, {}, left), two, {}).killed == {0, 1}
    assert what_became(_round(3, {}), record, {}).killed == {1}


def test_what_a_launcher_says_is_over_is_not_waited_for() -> None:
    """Also where its process cannot be seen, and where it has left no line on this disk."""
    record = _record(j0={"status": "RUNNING", **ELSEWHERE})
    assert what_became(_round(2, {0: None, 1: None}), record, {}).killed == {0, 1}


def test_jobs_of_a_launcher_that_does_not_wait_are_never_lost() -> None:
    """RQ says of each that it knows nothing yet."""
    unknown = JobReturn(status=JobStatus.UNKNOWN)
    assert what_became(_round(3, {0: unknown, 1: None}, None), None, {}).running == {0, 1, 2}


_JOBS = st.fixed_dictionaries(
    {"status": st.sampled_from(["COMPLETED", "FAILED", "INTERRUPTED", "RUNNING"]), "attempts": st.integers(1, 3)},
    optional={"error": st.just(error_of(ValueError("no"))), "pid": st.just(1), "host": st.just("h"), "born": st.just("b")},
)
_RETURNED = st.sampled_from([None, COMPLETED, FAILED, JobReturn(status=JobStatus.UNKNOWN)])


@given(
    st.integers(0, 6),
    st.dictionaries(st.integers(0, 6), _JOBS),
    st.dictionaries(st.integers(0, 6), _RETURNED),
    st.dictionaries(st.integers(0, 6), st.integers(0, 3)),
    st.sampled_from([None, BROKEN, SystemExit(1)]),
)
def test_each_job_has_one_answer(
    count: int,
    jobs: dict[int, Any],
    returned: dict[int, JobReturn | None],
    before: dict[int, int],
    error: BaseException | None,
) -> None:
    """Whatever came home and is on record; and what runs on record elsewhere, without a word of it, is left alone."""
    record = _record(**{f"j{num}": job for num, job in jobs.items()})
    launched = _round(count, returned, error)
    became = what_became(launched, record, before, ProcessIdentity("h", 2, "b"))
    assert sorted(num for of in became for num in of) == list(range(count))
    started = {num for num, job in jobs.items() if job["attempts"] > before.get(num, 0)}
    alone = {num for num in range(count) if num in started and num not in returned and jobs[num]["status"] == "RUNNING"}
    if error is not None:
        assert {num for num in alone if "error" not in jobs[num]} <= became.running
    assert not became.lost or error is not None
