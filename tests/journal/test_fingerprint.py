"""Whether a file is still as it was written."""

import hashlib
import os
from pathlib import Path

import pytest
from intruders import INTRUDERS

from hydra_callback_kit.journal import fingerprint
from hydra_callback_kit.journal.fingerprint import Fingerprint, fingerprint_of, is_one_of


def test_it_is_the_length_and_the_sha256(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In however many parts the bytes come."""
    monkeypatch.setattr(fingerprint, "_BLOCK", 7)
    content = os.urandom(100)
    (tmp_path / "file").write_bytes(content)
    parts = Fingerprint()
    for at in range(0, 100, 30):
        parts.add(content[at : at + 30])
    assert fingerprint_of(tmp_path / "file") == str(parts) == f"100:{hashlib.sha256(content).hexdigest()}"
    assert is_one_of(tmp_path / "file", {"3:abc", str(parts)})
    assert not is_one_of(tmp_path / "file", {"100:abc"})


def test_a_file_of_another_length_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be large."""
    monkeypatch.setattr(fingerprint, "fingerprint_of", pytest.fail)
    (tmp_path / "file").write_text("1234", "utf-8")
    assert not is_one_of(tmp_path / "file", {"3:abc", "44:abc"})


@pytest.mark.parametrize("intruder", INTRUDERS)
def test_what_is_no_file_is_none_of_them(tmp_path: Path, intruder: str) -> None:
    """Nor is a link to one, and a pipe is not waited for."""
    (tmp_path / "ours").write_text("ours", "utf-8")
    (tmp_path / "link").symlink_to("ours")
    known = {fingerprint_of(tmp_path / "ours")}
    INTRUDERS[intruder](tmp_path / "other")
    assert not is_one_of(tmp_path / "other", known)
    assert not is_one_of(tmp_path / "link", known)
    assert not is_one_of(tmp_path / "nothing", known)
