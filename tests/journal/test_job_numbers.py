"""Numbers of jobs in one word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.job_numbers import JobNumbers, joined_numbers


@given(st.sets(st.integers(0, 200), min_size=1), st.none() | st.integers(201, 300))
def test_they_are_read_as_they_were_written(numbers: set[int], onwards: int | None) -> None:
    """Also where they go on without an end."""
    read = JobNumbers(joined_numbers(numbers, onwards=onwards))
    assert {number for number in range(400) if number in read} == numbers | set(range(onwards or 400, 400))
    assert (1 << 50 in read) == (onwards is not None)


def test_they_are_short() -> None:
    """Numbers that follow each other are one part."""
    assert joined_numbers([5, 3, 4, 1]) == "1.3-5"
    assert joined_numbers([], onwards=0) == "0-"
    assert joined_numbers([0, 1], ", ") == "0-1"


@pytest.mark.parametrize("word", ["", "x", "3-1", "1..2", "1,2", "-3", "9" * 40, "1-2-3", "2.1", "1-3.2", "3-.7"])
def test_what_is_no_number_is_refused(word: str) -> None:
    """Whatever stands there."""
    with pytest.raises(ValueError, match="no number of a job"):
        JobNumbers(word)
