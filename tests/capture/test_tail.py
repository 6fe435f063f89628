"""The last lines of a job's output: bounded, and without secrets."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import Fresh

from hydra_callback_kit.capture.tail import MAX_BYTES, MAX_CHARACTERS, last_lines


def plain(text: str) -> str:
    """Where nothing is secret."""
    return text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of the output."""
    return tmp_path / "output.log"


def test_the_last_lines_since_the_job_began(file: Path) -> None:
    """What another attempt wrote is not of it; one that was emptied is read from the start."""
    file.write_bytes(b"before\none\ntwo\nthree\n\n")
    assert last_lines(file, 7, 2, plain) == "two\nthree"
    assert last_lines(file, 7, 50, plain) == "one\ntwo\nthree"
    assert last_lines(file, 23, 50, plain) == "before\none\ntwo\nthree"
    assert last_lines(file, 22, 50, plain) == ""
    assert last_lines(file, 0, 0, plain) == ""


def test_a_progress_bar_is_one_line(file: Path) -> None:
    """However often it was drawn."""
    file.write_bytes(b"started\n" + b"".join(b"\r\x1b[32m%6d of 99999\x1b[0m" % at for at in range(100_000)) + b"\nended\n")
    assert last_lines(file, 0, 3, plain) == " 99999 of 99999\nended"


@pytest.mark.parametrize("written", [(b"x" * 200 + b"\n") * 1000 + b"the end", b"x" * (2 * MAX_BYTES) + b"the end"])
def test_it_is_bounded(file: Path, written: bytes) -> None:
    """Also where the last line is longer than a file should be."""
    file.write_bytes(written)
    tail = last_lines(file, 0, 1000, plain)
    assert len(tail) == MAX_CHARACTERS
    assert tail.startswith("…x")
    assert tail.endswith("the end")


@pytest.mark.parametrize(
    "written",
    [
        b"sword\x1b[1mfish\n",
        b"swordfish\rX\n",
        b"in two lines sword\nfish\n",
        b"swordfish" * (MAX_CHARACTERS // 9 + 20),
        b"swordfish" * (MAX_BYTES // 9 + 20),
    ],
)
def test_a_secret_is_found_before_anything_is_cut(file: Path, written: bytes) -> None:
    """One in colours, one that something is written over, one that goes over two lines, and those that the bounds cut."""
    file.write_bytes(written)
    tail = last_lines(file, 0, 1, lambda text: text.replace("swordfish", "<>").replace("sword\nfish", "<>"))
    assert tail
    assert "fish" not in tail
    assert "sword" not in tail


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 9))
def test_whatever_bytes_there_are(fresh: Fresh, written: bytes, begins: int, lines: int) -> None:
    """Lines that a terminal can show, and no more than were asked for."""
    file = fresh("output") / "output.log"
    file.write_bytes(written)
    tail = last_lines(file, begins, lines, plain)
    assert tail.count("\n") < max(1, lines)
    assert all(character.isprintable() or character in "\n\t" or character.isspace() for character in tail)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A pipe would keep its reader waiting."""
    with pytest.raises(OSError, match="not a regular file"):
        last_lines(tmp_path, 0, 5, plain)
