"""What is looked for in a journal's lines, without a record of it all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import Fresh, a_job, a_run, write_job

from hydra_callback_kit.journal import journal_lines, writer
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.journal_lines import attempts_at, facts_in, latest_facts, lines_in, lines_with
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.journal.written import written_in


def sweep(root: Path) -> RunIdentity:
    """A run that states a fact of itself and of two of its jobs, again and again."""
    writer._files.clear()
    run = a_run(root)
    for best in (1, float("nan")):
        write_line(run, "run_facts", {"best": best, "other": 0})
    for num in (0, 1, 10):
        write_job(run, num, "COMPLETED", return_value=num)
        for best in (num, [num]):
            write_line(run, "job_facts", {"best": best}, a_job(run, num))
    write_line(run, "job_facts", {"note": '"best"'}, a_job(run, 0))
    return run


def facts_of(run: RunIdentity, *jobs: int) -> str:
    """The last values of the fact, as text, for NaN is not equal to itself."""
    return str(dict(sorted(latest_facts(run.root, run.run_id, "best", jobs).items(), key=str)))


def test_the_latest_fact_of_the_run_and_of_the_jobs_that_are_asked_for(tmp_path: Path) -> None:
    """Not of job 10, whose number begins like that of job 1."""
    run = sweep(tmp_path)
    assert facts_of(run) == "{None: nan}"
    assert facts_of(run, 1) == "{1: [1], None: nan}"
    assert facts_of(run, 0, 1, 10, 11) == "{0: [0], 1: [1], 10: [10], None: nan}"
    assert latest_facts(tmp_path, run.run_id, "nobody", [0]) == {}
    assert latest_facts(tmp_path, "20260102T000000-bb", "best", [0]) == {}


def test_what_cannot_be_read_or_is_of_another_run_states_nothing(tmp_path: Path) -> None:
    """In whatever order the files are: of two lines the later one counts."""
    run = sweep(tmp_path)
    (file,) = (tmp_path / ".callbacks").glob("*.jsonl")
    lines = file.read_text("ascii").splitlines()
    strange = [lines[0].replace(run.run_id, "20260102T000000-bb").replace("2026", "2027"), '{"best":', ""]
    file.with_name(f"{run.run_id}.a-1-2.jsonl").write_text("\n".join([*lines[::-1], *strange]), "ascii")
    file.with_name(f"{run.run_id}.b-1-2.jsonl").mkdir()
    assert facts_of(run, 1) == "{1: [1], None: nan}"
    file.unlink()
    assert facts_of(run, 1) == "{1: [1], None: nan}"


def test_what_a_run_has_written_by_job(tmp_path: Path) -> None:
    """Whoever says it: the run, a job's start, its end, or a fact that was added."""
    run = sweep(tmp_path)
    write_line(run, "run_facts", {"files": {"results.json": {}}, "tensorboard": {"directory": "boards"}})
    write_line(run, "job_facts", {"files": {"points.csv": {}, "a.txt": {}}}, a_job(run, 1))
    write_line(run, "job_facts", {"captured_output": {"files": {"0/output.log": 5}}}, a_job(run, 1))
    write_line(run, "job_facts", {"files": 3, "tensorboard": [], "captured_output": {"files": None}}, a_job(run, 0))
    assert written_in(tmp_path, run.run_id) == {
        None: {"results.json", "boards"},
        0: set(),
        1: {"points.csv", "a.txt", "output.log"},
        10: set(),
    }


@given(st.lists(st.sampled_from([b"", b"a", b"bc", b"0123456789", b"\n", b"\n\n"])), st.integers(1, 20))
def test_a_file_that_is_not_read_at_once_has_the_same_lines(fresh: Fresh, parts: list[bytes], small: int) -> None:
    """Their numbers count the empty ones, and the last one may not end."""
    file = fresh("lines") / "file"
    file.write_bytes(b"".join(parts))
    at_once = list(lines_in(file))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_lines, "_SMALL", small)
        assert list(lines_in(file)) == at_once
    whole = b"".join(parts).split(b"\n")
    assert at_once == [(number, text, number < len(whole)) for number, text in enumerate(whole, start=1) if text]


def test_of_a_line_that_is_too_long_its_beginning_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes behind it is no line, however long it is; the next one is."""
    for name, value in (("_SMALL", 1), ("MAX_LINE", 4), ("_CHUNK", 3)):
        monkeypatch.setattr(journal_lines, name, value)
    file = tmp_path / "file"
    file.write_bytes(b"abc\nabcdefghijk\nab\n\nabcd\nx")
    assert list(lines_in(file)) == [
        (1, b"abc", True),
        (2, b"abcd", True),
        (3, b"ab", True),
        (5, b"abcd", True),
        (6, b"x", False),
    ]


def test_what_is_no_line_or_no_file_is_passed_by(tmp_path: Path) -> None:
    """By all who look for something; and of a run that is not there nothing is known."""
    run = sweep(tmp_path)
    broken = b'"best" "job":1, "event":"run_" is no line\n'
    for file in (tmp_path / ".callbacks").iterdir():
        file.write_bytes(broken + file.read_bytes())
    (tmp_path / ".callbacks" / f"{run.run_id}.a-pipe.jsonl").mkdir()
    assert [str(fact) for fact in facts_in(tmp_path, "best")] == ["1", "nan", "0", "[0]", "1", "[1]", "10", "[10]"]
    assert facts_of(run, 1) == "{1: [1], None: nan}"
    assert [line["event"] for line in lines_with(tmp_path, run.run_id, '"job":10,')] == ["job_started", "job_ended"] + [
        "job_facts"
    ] * 2
    assert len(list(lines_with(tmp_path, run.run_id, ""))) == 15
    assert list(lines_with(tmp_path, "20260102T000000-bb", "")) == []
    assert (attempts_at(tmp_path, run.run_id, 1), attempts_at(tmp_path, run.run_id, 7)) == (1, 0)
    assert attempts_at(tmp_path, "20260102T000000-bb", 1) == 0


def test_a_job_was_started_as_often_as_its_attempts_say(tmp_path: Path) -> None:
    """Those whose lines are gone count, too; the one that asks does not."""
    run = sweep(tmp_path)
    write_job(run, 0, "FAILED", attempt="2")
    assert attempts_at(tmp_path, run.run_id, 0) == 2
    assert attempts_at(tmp_path, run.run_id, 0, but="0.2") == 1
    write_line(run, "job_started", {"attempt_number": 5}, a_job(run, 1, "5"))
    write_line(run, "job_facts", {}, a_job(run, 1, "5"))
    assert attempts_at(tmp_path, run.run_id, 1) == 5
