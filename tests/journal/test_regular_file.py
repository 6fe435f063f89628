"""Opening what others may have put there."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hydra_callback_kit.journal.regular_file import open_regular, start_of_regular

READS = pytest.mark.parametrize("read", [open_regular, lambda path: start_of_regular(path, 10)])


def test_a_regular_file_is_read_also_by_a_link(tmp_path: Path) -> None:
    """As by any other means."""
    (tmp_path / "file").write_bytes(b"a\nb")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"a\nb"
        assert start_of_regular(tmp_path / name, 10) == b"a\nb"


@pytest.mark.parametrize("length", [0, 1, 4, 5, 6, 1 << 20])
@pytest.mark.parametrize("grown", [0, 1, 5_000])
def test_of_a_file_its_start_is_read(length: int, grown: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it is wanted, also if somebody writes more as it is read."""
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    really = os.read

    def grows(descriptor: int, count: int) -> bytes:
        monkeypatch.setattr(os, "read", really)
        with file.open("ab") as more:
            more.write(b"x" * grown)
        return really(descriptor, count)

    monkeypatch.setattr(os, "read", grows)
    assert start_of_regular(file, length) == (b"12345" + b"x" * grown)[:length]


def test_no_file_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if it cannot be read."""
    (tmp_path / "file").touch()
    before = len(list(Path("/proc/self/fd").iterdir()))
    start_of_regular(tmp_path / "file", 10)
    monkeypatch.setattr(os, "fstat", lambda _: tmp_path.stat())
    for read in (lambda: start_of_regular(tmp_path / "file", 10), lambda: open_regular(tmp_path / "file")):
        with pytest.raises(OSError, match="not a regular file"):
            read()
    monkeypatch.undo()
    monkeypatch.setattr(os, "read", lambda *_: Path("nowhere").stat())
    with pytest.raises(FileNotFoundError):
        start_of_regular(tmp_path / "file", 10)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@READS
def test_anything_else_keeps_nobody_waiting(
    read: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe without a writer, a socket, a device, a directory, a link to one, and names that no file has."""
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")
    Path("directory").mkdir()
    Path("loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        for name in ("pipe", "link", "directory", "socket", "/dev/zero", "/dev/tty", "loop", "a\0b", "\ud800", "x" * 5_000):
            with pytest.raises(OSError, match=r"\w"):
                read(Path(name))


@READS
def test_it_is_looked_at_again_once_it_is_open(
    read: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two looks another may have taken its place."""
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    really = os.open
    monkeypatch.setattr(os, "open", lambda _path, flags: really(tmp_path / "pipe", flags))
    with pytest.raises(OSError, match="not a regular file"):
        read(tmp_path / "file")
