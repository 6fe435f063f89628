"""Runs below a folder, whatever else lies there."""

import os
from pathlib import Path

import pytest

from hydra_callback_kit.journal.finder import enclosing_run, look_into, run_directories
from hydra_callback_kit.journal.format import JOURNAL_DIR


def run_at(directory: Path) -> Path:
    """A directory that holds a journal."""
    (directory / JOURNAL_DIR).mkdir(parents=True)
    return directory


def test_all_that_hold_a_journal_in_the_order_of_their_names(tmp_path: Path) -> None:
    """The folder itself, and those below another's; not hidden ones, links, or what is never an output directory."""
    wanted = [
        run_at(tmp_path),
        run_at(tmp_path / "a"),
        run_at(tmp_path / "a" / "0"),
        run_at(tmp_path / "b" / "c" / "d"),
        run_at(tmp_path / "e"),
    ]
    for other in (".hidden", "__pycache__", "node_modules", "site-packages", f"e/{JOURNAL_DIR}"):
        run_at(tmp_path / other / "x")
    (tmp_path / "link").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "file").touch()
    assert list(run_directories(tmp_path)) == wanted


def test_what_is_no_directory_holds_none(tmp_path: Path) -> None:
    """A file of the journal's name, a file in place of the folder, and what is not there."""
    (tmp_path / JOURNAL_DIR).touch()
    assert look_into(str(tmp_path)) == ([], False)
    assert list(run_directories(tmp_path / JOURNAL_DIR)) == list(run_directories(tmp_path / "nowhere")) == []


def test_a_directory_that_cannot_be_listed_may_hold_a_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for by its name then."""
    run_at(tmp_path / "x")

    def refuses(_: str) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", refuses)
    assert look_into(str(tmp_path / "x")) == ([], True)
    assert look_into(str(tmp_path)) == ([], False)


def test_the_nearest_run_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a job's directory, however it was written; a run is not above itself."""
    outer, inner = run_at(tmp_path), run_at(tmp_path / "a")
    assert enclosing_run(inner / "0" / "x") == inner
    assert enclosing_run(inner) == outer
    monkeypatch.chdir(inner)
    assert enclosing_run(Path("0")) == inner
    (inner / "b").mkdir()
    (inner / "b" / JOURNAL_DIR).touch()
    assert enclosing_run(inner / "b" / "0") == inner
