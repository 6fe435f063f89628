"""Opening what others may have put there."""

import os
import socket
from pathlib import Path

import pytest

from hydra_callback_kit.journal.regular_file import open_regular


def test_a_regular_file_is_read_also_by_a_link(tmp_path: Path) -> None:
    """As by any other means."""
    (tmp_path / "file").write_bytes(b"a\nb")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"a\nb"


def test_anything_else_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
                open_regular(Path(name))


def test_it_is_looked_at_again_once_it_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two looks another may have taken its place."""
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    really = os.open
    monkeypatch.setattr(os, "open", lambda _path, flags: really(tmp_path / "pipe", flags))
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "file")
