"""Files that must not exist yet: of many processes one makes it, whole, or nobody does."""

import contextlib
import errno
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hydra_callback_kit.journal import new_file


def made(file: Path) -> bool:
    """Whether this call made it."""
    try:
        new_file.write_new_file(file, b"x" * 10_000)
    except FileExistsError:
        return False
    return True


@pytest.mark.parametrize("links", [True, False])
def test_one_of_many_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    """Also on a file system that has no links."""
    if not links:

        def refused(*_: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(new_file.os, "link", refused)
    with ThreadPoolExecutor(8) as threads:
        assert Counter(threads.map(made, [tmp_path / "file"] * 40)) == {True: 1, False: 39}
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"x" * 10_000


def test_a_file_that_a_full_disk_cuts_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a claim would keep everybody out."""

    class Full(contextlib.AbstractContextManager):
        def __init__(self, descriptor: int, _: str) -> None:
            os.close(descriptor)

        def __exit__(self, *_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def write(self, text: bytes) -> None:
            """Takes it, and has no room when it is closed."""

    with monkeypatch.context() as patched:
        patched.setattr(new_file.os, "fdopen", Full)
        with pytest.raises(OSError, match="No space left"):
            new_file.write_new_file(tmp_path / "claim-1.json", b"{}")
    assert not list(tmp_path.iterdir())
