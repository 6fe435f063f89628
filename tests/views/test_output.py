"""The last lines of what jobs wrote, as views have them."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from journals import Fresh

from hydra_callback_kit.journal.format import CAPTURED_OUTPUT
from hydra_callback_kit.journal.records import JobRecord, RankRecord
from hydra_callback_kit.views.output import Output, files_of, outputs_of

VALUES = st.one_of(st.none(), st.booleans(), st.integers(-2, 60), st.text(max_size=9))
FACTS = st.dictionaries(
    st.sampled_from(["files", "tails", "lines"]),
    st.one_of(VALUES, st.dictionaries(st.sampled_from(["output.log", "../x", "a\0b", ""]), VALUES), st.lists(VALUES)),
)


@given(FACTS)
def test_whatever_is_on_record(fresh: Fresh, fact: dict[str, object]) -> None:
    """Nothing raises, and what is shown can be shown."""
    root = fresh("job")
    (root / "output.log").write_text("one\ntwo\n")
    job = JobRecord(0, "FAILED", root=root, subdir=".", facts={CAPTURED_OUTPUT: fact})
    for name, text in outputs_of(job):
        assert name.isprintable()
        assert text
    assert all(isinstance(name, str) for name in files_of(job))


def test_of_ranks_those_that_did_not_complete(tmp_path: Path) -> None:
    """What is on record counts before the file, and the lines asked for are those that are read."""

    def fact(name: str, **more: object) -> dict[str, object]:
        return {CAPTURED_OUTPUT: {"files": {name: 4}, "lines": 1, **more}}

    (tmp_path / "output.log").write_text("old\none\ntwo\n")
    (tmp_path / "output_rank2.log").write_text("old\nof rank 2\nits last\n")
    ranks = (
        RankRecord(0, "COMPLETED"),
        RankRecord(1, "COMPLETED", facts=fact("output_rank1.log", tails={"output_rank1.log": "well"})),
        RankRecord(2, "INTERRUPTED", facts=fact("output_rank2.log")),
    )
    recorded = fact("output.log", tails={"output.log": "on \x1brecord"})
    job = JobRecord(0, "INTERRUPTED", root=tmp_path, subdir=".", facts=recorded, ranks=ranks)
    assert outputs_of(job) == [Output("output.log", "on \\x1brecord"), Output("output_rank2.log", "its last")]
    job.facts = fact("output.log")
    assert outputs_of(job)[0] == Output("output.log", "two")
    (tmp_path / "output.log").unlink()
    assert [output.name for output in outputs_of(job)] == ["output_rank2.log"]
