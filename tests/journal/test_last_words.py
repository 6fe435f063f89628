"""What a process leaves behind that can write no line of the journal any more."""

import json
import os
from pathlib import Path

import pytest

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.last_words import LastWords, LastWordsFile, take_last_words


@pytest.fixture
def job(tmp_path: Path) -> JobIdentity:
    """A job of a run that has a journal."""
    (tmp_path / JOURNAL_DIR).mkdir()
    run = RunIdentity("20260101T000000-aa", tmp_path, "MULTIRUN")
    return JobIdentity(run, 3, "ab/3/0", os.getpid(), None, "app", (), tmp_path)


def left(job: JobIdentity) -> list[Path]:
    """The files beside the journal."""
    return list((job.run.root / JOURNAL_DIR).iterdir())


def test_words_are_taken_once_and_of_the_jobs_that_are_gone(job: JobIdentity) -> None:
    """The others' files stay; what is no text is read as far as it is."""
    file = LastWordsFile(job)
    os.write(file.descriptor, b"line 1\nline \xff2")
    os.close(file.descriptor)
    assert list(take_last_words(job.run, {2, 4})) == []
    assert list(take_last_words(job.run, {3})) == [LastWords(3, "ab/3/0", "line 1\nline \ufffd2")]
    assert list(take_last_words(job.run, {3})) == left(job) == []


def test_a_file_says_whose_it_is_and_no_child_has_it(job: JobIdentity) -> None:
    """One line, for another process to read; a new file for each attempt."""
    first, second = LastWordsFile(job), LastWordsFile(job)
    assert [path.read_bytes() for path in left(job)] == [b'[3, "ab/3/0"]\n'] * 2
    for path in left(job):
        run_id, number, random, suffix = path.name.split(".")
        assert (run_id, number, len(random), suffix) == (job.run.run_id, "3", 8, "last-words")
    assert not os.get_inheritable(first.descriptor)
    first.remove()
    second.remove()
    assert left(job) == []


def test_a_file_is_removed_once(job: JobIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file may have its descriptor since; descriptor 0 is one like any other."""
    file = LastWordsFile(job)
    closed: list[int] = []
    os.close(file.descriptor)
    file.descriptor = 0
    with monkeypatch.context() as patched:
        patched.setattr(os, "close", closed.append)
        file.remove()
        file.remove()
    assert (closed, file.descriptor, left(job)) == ([0], -1, [])


def test_words_have_a_bound(job: JobIdentity) -> None:
    """A damaged file may have any length."""
    file = LastWordsFile(job)
    os.write(file.descriptor, b"x" * (1 << 17))
    os.close(file.descriptor)
    [words] = take_last_words(job.run, {3})
    assert len(words.where) == (1 << 16) - len(json.dumps([3, "ab/3/0"])) - 1


def test_a_file_of_a_strangers_is_left_where_it_is(job: JobIdentity) -> None:
    """And hides none of those that follow it."""
    for name, text in (("0", b""), ("1", b"[3]\n"), ("2", b"7\n"), ("3", b'["x", "y"]\n')):
        (job.run.root / JOURNAL_DIR / f"{job.run.run_id}.{name}.00000000.last-words").write_bytes(text)
    file = LastWordsFile(job)
    os.close(file.descriptor)
    assert list(take_last_words(job.run, {3})) == [LastWords(3, "ab/3/0", "")]
    assert len(left(job)) == 4
