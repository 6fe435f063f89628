"""The output of a run without a terminal: where it goes, what is read of it, and the exit code beside it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import Fresh

from hydra_callback_kit.journal.output_file import (
    OutputFollower,
    exit_code_file,
    exit_code_of,
    new_output_file,
    output_file_of,
    starting_file,
    starting_in,
    write_starting,
)
from hydra_callback_kit.journal.process import ProcessIdentity


def test_each_run_of_a_directory_has_a_file_of_its_own(tmp_path: Path) -> None:
    """What an earlier run has printed is kept; an exit code that is left of a file that is gone is not believed."""
    assert [new_output_file(tmp_path, "a.log").name for _ in range(3)] == ["a.log", "a-2.log", "a-3.log"]
    exit_code_file(tmp_path / "a-2.log").parent.mkdir()
    exit_code_file(tmp_path / "a-2.log").write_text("3\n")
    assert exit_code_of(tmp_path / "a-2.log") == 3
    (tmp_path / "a-2.log").unlink()
    assert exit_code_of(new_output_file(tmp_path, "a.log")) is None


@pytest.mark.parametrize("text", ["", "\n", "x\n", "-1\n", "1234\n", "\xff"])
def test_what_is_no_exit_code_is_none(tmp_path: Path, text: str) -> None:
    """It is being written, or it is somebody else's."""
    exit_code_file(tmp_path / "a.log").parent.mkdir()
    exit_code_file(tmp_path / "a.log").write_text(text, "latin-1")
    assert exit_code_of(tmp_path / "a.log") is None


@pytest.mark.parametrize(
    "said", [None, "a.log", {}, {"output": 1}, {"output": "../a.log"}, {"output": "/a"}, {"output": ".."}]
)
def test_a_record_that_may_be_anybodys_names_no_file_elsewhere(tmp_path: Path, said: object) -> None:
    """Only a name in the run's own directory is one."""
    assert output_file_of(tmp_path, {"detached": said}) is None
    assert output_file_of(tmp_path, {"detached": {"output": "a.log"}}) == tmp_path / "a.log"


LINES = st.lists(st.binary(max_size=3).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"") + b"\n"), max_size=9)


@given(LINES, st.sampled_from([b"", b"rest"]), st.integers(0, 10), LINES)
def test_it_is_read_from_its_last_lines_on(
    fresh: Fresh, before: list[bytes], rest: bytes, last: int, after: list[bytes]
) -> None:
    """As `tail` does; then what comes, up to a place if that is asked for."""
    file = fresh("out") / "a.log"
    file.write_bytes(b"".join(before) + rest)
    lines = [*before, *([rest] if rest else [])]
    expected = b"".join(lines[len(lines) - min(last, len(lines)) :])
    follower = OutputFollower(file, last)
    assert follower.new() == expected
    assert follower.new() == b""
    with file.open("ab") as opened:
        opened.write(b"".join(after))
    place = file.stat().st_size - len(after[-1] if after else b"")
    assert follower.new(place) + follower.new() == b"".join(after)


def test_a_file_that_is_long_gone_or_emptied(tmp_path: Path) -> None:
    """Lines of several blocks; then nothing is read, and then from the beginning."""
    file = tmp_path / "a.log"
    file.write_bytes(b"".join(b"%d %s\n" % (number, b"x" * 50_000) for number in range(5)))
    follower = OutputFollower(file, 2)
    assert follower.new()[:2] == b"3 "
    file.unlink()
    assert follower.new() == b""
    file.write_bytes(b"new\n")
    assert follower.new() == b"new\n"


STARTER = ProcessIdentity("here", 17, "boot:5")


def test_who_is_about_to_start_a_run_is_known_by_its_output(tmp_path: Path) -> None:
    """The last of several files counts; a directory without a journal gets one, and one that cannot be written none."""
    assert starting_in(tmp_path) is None
    write_starting(tmp_path / "a.log", STARTER)
    assert starting_file(tmp_path / "a.log") == tmp_path / ".callbacks" / "a.log.starting"
    assert starting_in(tmp_path) == STARTER
    write_starting(tmp_path / "b.log", STARTER._replace(pid=18, born=None))
    assert starting_in(tmp_path) == ProcessIdentity("here", 18, None)
    write_starting(tmp_path / "nowhere" / "a.log", STARTER)
    assert starting_in(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    "text", ["", "{}", "[1", "5", '["here", 18]', '["here", "18", null]', '["here", 18, 5]', "[5, 18, null]", "\0", "[[]]"]
)
def test_what_does_not_say_it_is_passed_over(tmp_path: Path, text: str) -> None:
    """An earlier one does."""
    write_starting(tmp_path / "a.log", STARTER)
    starting_file(tmp_path / "b.log").write_text(text)
    starting_file(tmp_path / "c.log").mkdir()
    assert starting_in(tmp_path) == STARTER


@pytest.mark.skipif(os.name != "posix", reason="files have owners on POSIX")
def test_another_users_word_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals go to whom it names."""
    write_starting(tmp_path / "a.log", STARTER)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert starting_in(tmp_path) is None
