"""Which jobs are among the best, by whatever part of the record one has seen."""

import math
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.metric import Metric
from hydra_callback_kit.journal.outcomes import Outcome
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.kept_best import Deleted, deleted_in, deleted_in_words, other_values, standing, value_of


def outcome(num: int, value: float | None, *, pruned: bool = False) -> Outcome:
    """A job that has ended."""
    return Outcome(num, "1", value, pruned, PurePosixPath(str(num)), "here")


def numbers(outcomes: list[Outcome]) -> list[int]:
    """Their numbers."""
    return [each.job_num for each in outcomes]


def test_the_best_the_worse_and_those_of_whom_nobody_knows() -> None:
    """Of equals the earlier is better; NaN and pruned ones do no better than any; without the metric one is neither."""
    values = [0.5, 0.9, math.nan, None, 0.9, 0.9]
    ended = [*(outcome(num, value) for num, value in enumerate(values)), outcome(6, None, pruned=True)]
    best, worse = standing(ended, "max", 2)
    assert numbers(best) == [1, 4]
    assert sorted(numbers(worse)) == [0, 2, 5, 6]
    assert numbers(standing(ended, "min", 2).best) == [0, 1]
    assert standing(ended, "max", 5).worse == []
    assert numbers(standing(ended, "max", 4).worse) == [2, 6]


_VALUES = st.none() | st.floats(allow_nan=True) | st.sampled_from([0.0, 1.0])


@given(
    st.lists(st.tuples(_VALUES, st.booleans()), max_size=12), st.integers(1, 4), st.sampled_from(["max", "min"]), st.data()
)
def test_who_is_worse_by_a_part_of_the_record_is_worse_by_all_of_it(
    values: list[tuple[float | None, bool]], keep: int, mode: str, data: st.DataObject
) -> None:
    """So processes that decide at once, each by what it sees, delete nothing of one of the best."""
    ended = [outcome(num, value, pruned=value is None and is_pruned) for num, (value, is_pruned) in enumerate(values)]
    seen = data.draw(st.lists(st.sampled_from(ended), unique=True) if ended else st.just([]))
    every = standing(ended, mode, keep)
    assert set(numbers(standing(seen, mode, keep).worse)) <= set(numbers(every.worse))
    assert not set(numbers(every.worse)) & set(numbers(every.best))
    assert len(every.best) <= keep


def test_the_value_is_what_was_returned_or_reported_last() -> None:
    """By the names that rankings take."""
    reported = {"val/loss": Metric.of(3.0, 0).then(2.0, 1)}
    assert value_of("test.accuracy", {"test": {"accuracy": 0.5}}, reported) == 0.5
    assert value_of("return_value", 7, {}) == 7
    assert (value_of("val/loss", None, reported), value_of("val/loss.max", None, reported)) == (2.0, 3.0)
    assert value_of("nope", {"a": 1}, reported) is None


def test_what_was_deleted_is_summed_over_the_processes() -> None:
    """A damaged journal holds anything."""
    facts = {
        "kept_best_1": {"3": {"files": 1, "size_bytes": 10}},
        "kept_best_2": {"3": {"files": 2, "size_bytes": 5}, "x": {"files": 1, "size_bytes": 1}, "4": [1]},
        "kept_best_3": 7,
        "kept_best_4": {"5": {"files": 0, "size_bytes": 0}},
    }
    assert deleted_in(facts) == {3: Deleted(3, 15)}


def test_what_is_no_number_is_named() -> None:
    """A text or a boolean that a completed job has returned under the metric's name, whichever of its two names that is."""
    returned = [{"acc": "high"}, {"acc": True}, {"acc": 0.5}, {"acc": None}, {"loss": "x"}, 7]
    jobs = [JobRecord(num, "COMPLETED", return_value=value) for num, value in enumerate(returned)]
    jobs.append(JobRecord(6, "FAILED", return_value={"acc": "high"}))
    assert [*other_values(jobs, "acc")] == ["high", True]
    assert [*other_values([JobRecord(0, "COMPLETED", return_value="best")], "return_value")] == ["best"]


def test_what_was_deleted_in_words() -> None:
    """Of how many jobs, how many files, and how much they took; nothing where nothing was deleted."""
    one = {"kept_best_a": {"1": {"files": 1, "size_bytes": 1024}}}
    assert deleted_in_words(one) == "1 file (1 KiB) of 1 job that others did better than"
    two = {**one, "kept_best_b": {"2": {"files": 2, "size_bytes": 1024}}}
    assert deleted_in_words(two) == "3 files (2 KiB) of 2 jobs that others did better than"
    assert deleted_in_words({}) == ""
