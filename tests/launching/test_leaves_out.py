"""What the sweeper gets for the jobs of a sweep that are not started again."""

from typing import Any, NoReturn

import pytest
from hydra.core.utils import JobStatus

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.job_numbers import JobNumbers
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import Cut
from hydra_callback_kit.launching.answering import can_be_given_back
from hydra_callback_kit.launching.leaves_out import LeavesOut, Left

JOBS = {
    0: JobRecord(0, "COMPLETED", ("x=0", "b=1"), return_value=0.5),
    1: JobRecord(1, "FAILED", ("x=1", "b=1"), error=JobError("ValueError", "boom", "")),
    2: JobRecord(2, "COMPLETED", ("x=2", "b=1"), return_value=Cut(repr="<model>", type="app.Model")),
    3: JobRecord(3, "RUNNING", ("x=3", "b=1")),
    4: JobRecord(4, "INTERRUPTED", ("x=4", "b=1")),
}
BATCH = {num: (f"x={num}", "b=2") for num in range(7)}


class StoppedError(Exception):
    """What the policy stops the sweep by."""


def stop(why: str) -> NoReturn:
    """Stops the sweep."""
    raise StoppedError(why)


def answers(named: str, *, chooses: bool, queued: tuple[int, ...] = (), batch: Any = BATCH) -> dict[int, Any]:
    """What the sweeper gets for each job that is not started."""
    left = Left(JOBS, JobNumbers(named), queued, {"b"}, chooses)
    given = LeavesOut(left, stop).answers(batch)
    assert all(answer.overrides == list(batch[num]) for num, answer in given.items())
    return {
        num: answer.return_value if answer.status is JobStatus.COMPLETED else answer._return_value
        for num, answer in given.items()
    }


def test_a_sweeper_that_asks_for_all_jobs_never_looks_at_them() -> None:
    """What is not named, has completed or runs elsewhere is answered, whatever came of it; only what is left starts."""
    assert answers("0-4.6", chooses=False) == {0: 0.5, 2: {"repr": "<model>", "type": "app.Model"}, 3: None, 5: None}
    assert answers("0-4.6", chooses=False, queued=(4,)).keys() == {0, 2, 3, 4, 5}
    assert answers("6", chooses=False).keys() == {0, 1, 2, 3, 4, 5}


def test_a_sweeper_that_learns_gets_what_is_on_record(caplog: pytest.LogCaptureFixture) -> None:
    """A value of which only the text is on record is made again; a job that failed is one that failed."""
    given = answers("4.5-", chooses=True)
    assert caplog.messages == ["Job 2 is run again: of what it returned only the text is on record."]
    assert given.keys() == {0, 1, 3}
    assert given[0] == 0.5
    assert type(given[1]) is RuntimeError
    assert str(given[1]) == "job 1 is not run again. When the sweep was started before: ValueError: boom"


def test_a_sweeper_that_goes_another_way_is_stopped() -> None:
    """What another job returned is no answer; nor may that job be written over."""
    with pytest.raises(StoppedError) as stopped:
        answers("1.4-", chooses=True, batch={0: ("x=9", "+y=1", "b=2")})
    assert str(stopped.value) == (
        "The sweeper has chosen x=9 +y=1 for job 0, which is on record with x=0 b=1: what that came to is no answer to it, "
        "and it would be written over.\nA sweeper that draws at random needs a seed (hydra.sweeper.sampler.seed=1). One "
        "that learns goes another way once a job that failed completes: `rerun --interrupted --missing --launcher` leaves "
        "those that failed. Without --launcher each job is run again by itself."
    )
    assert answers("1.4-", chooses=True, batch={1: ("x=9", "b=2")}) == {}


@pytest.mark.parametrize(
    ("value", "can"),
    [
        *((value, True) for value in (None, 1, 0.5, float("inf"), "text", [1, [2.0]], {"a": {"b": [None]}})),
        *(
            (value, False)
            for value in (Cut(repr="x", type="y"), [Cut(repr="x", type="y")], {"a": "<redacted 1>"}, {"<redacted 1>": 2})
        ),
    ],
)
def test_which_values_can_be_given_back(value: Any, *, can: bool) -> None:
    """Those that are on record as they were."""
    assert can_be_given_back(value) == can
