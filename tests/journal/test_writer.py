"""A line that is too long for the journal: what is cut of it, and what stands there instead."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import a_job, a_run, lines_of

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.values import Cut
from hydra_callback_kit.journal.writer import write_line

FACTS = {"long": "x" * 300, "list": list(range(90)), "mid": "y" * 90, "short": 1}


def test_the_largest_facts_are_cut_and_the_line_says_how_large_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what they were; the smaller ones stay, as long as they take half of a line together."""
    monkeypatch.setattr(writer, "MAX_LINE", 400)
    writer._files.clear()
    run = a_run(tmp_path)
    write_line(run, "job_started", {}, a_job(run, 0))
    write_line(run, "job_facts", FACTS, a_job(run, 0))
    (job,) = read_run(tmp_path).jobs
    length = {name: len(f'{{"{name}":{value!r}}}\n'.replace(" ", "")) for name, value in FACTS.items()}
    assert job.facts == {
        "short": 1,
        "mid": FACTS["mid"],
        "list": {"repr": f"<{length['list']} bytes>", "type": "list", "length": length["list"]},
        "long": {"repr": f"<{length['long']} bytes>", "type": "str", "length": length["long"]},
    }
    assert isinstance(job.facts["long"], Cut)


@pytest.mark.parametrize("shorter", [0, 1])
def test_a_line_that_just_fits_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shorter: int) -> None:
    """Its line break counts; with one byte less to be had it is cut."""
    run = a_run(tmp_path)
    writer._files.clear()
    write_line(run, "job_facts", FACTS, a_job(run, 0))
    (whole,) = lines_of(tmp_path)
    monkeypatch.setattr(writer, "MAX_LINE", len(whole.rstrip(b"\n")) + 1 - shorter)
    write_line(run, "job_facts", FACTS, a_job(run, 0))
    _, again = lines_of(tmp_path)
    assert (b"x" * 300 in again) is not bool(shorter)


@given(sizes=st.lists(st.integers(0, 60), max_size=8), limit=st.integers(20, 200))
def test_what_is_left_takes_half_a_line_at_most_and_is_the_smallest(sizes: list[int], limit: int) -> None:
    """Each fact is there, as itself or as what stands for it."""
    facts = {str(place): "x" * size for place, size in enumerate(sizes)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "MAX_LINE", limit)
        cut = writer._cut(facts)
    assert cut.keys() == facts.keys()
    kept = [len(facts[name]) for name in facts if cut[name] == facts[name]]
    gone = [len(facts[name]) for name in facts if cut[name] != facts[name]]
    around = len(b'{"0":""}\n')
    assert sum(kept) + around * len(kept) <= limit // 2
    if gone:
        assert max(kept, default=0) <= min(gone)
        assert sum(kept) + around * len(kept) + min(gone) + around > limit // 2
