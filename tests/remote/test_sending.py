"""Files that are sent to a store, made sure of, and deleted here."""

import errno
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.local import LocalFileOpener
from fsspec.implementations.memory import MemoryFileSystem

from hydra_callback_kit.remote.deleting import deletable, delete
from hydra_callback_kit.remote.sending import NotAsSentError, Sent, send
from hydra_callback_kit.remote.store import Store, UnknownSchemeError, missing_library
from hydra_callback_kit.remote.tree import LocalFile, journal_apart


class Lossy(MemoryFileSystem):
    """A store that keeps other bytes than it was given, as often as it is told to."""

    protocol = "lossy"
    left = 0
    written: tuple[str, ...] = ()

    def _open(self, path: str, mode: str = "rb", **given: Any) -> Any:
        file = super()._open(path, mode, **given)
        if mode == "wb":
            Lossy.written += (path,)
            write = file.write

            def lose(data: bytes) -> int:
                kept = data if not Lossy.left else bytes(len(data))
                Lossy.left = max(0, Lossy.left - 1)
                return write(kept)

            file.write = lose
        return file


class Down(MemoryFileSystem):
    """A store that is not there."""

    protocol = "down"
    asked = 0

    def _open(self, path: str, mode: str = "rb", **given: Any) -> Any:
        Down.asked += 1
        raise ConnectionError("nobody answers")


fsspec.register_implementation("lossy", Lossy, clobber=True)
fsspec.register_implementation("down", Down, clobber=True)


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    MemoryFileSystem.store.clear()
    Lossy.left, Lossy.written, Down.asked = 0, (), 0
    yield
    MemoryFileSystem.store.clear()


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job's directory, with what must not be followed, and what cannot be read."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "private").write_text("not ours")
    root = tmp_path / "job"
    (root / "sub").mkdir(parents=True)
    (root / ".callbacks").mkdir()
    (root / ".callbacks" / "x.jsonl").write_text("{}")
    (root / "a.txt").write_text("hello")
    (root / "sub" / "b.bin").write_bytes(bytes(range(256)) * 10_000)
    (root / "empty").touch()
    (root / "link").symlink_to(tmp_path / "outside" / "private")
    (root / "linked").symlink_to(tmp_path / "outside")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        here = Path.cwd()
        os.chdir(root)  # its name may not be long
        bound.bind("socket")
        os.chdir(here)
    return root


def files_of(root: Path) -> list[LocalFile]:
    """What would be sent."""
    return list(journal_apart(root, ""))


def sent_to(url: str, root: Path, until_s: float = 60) -> Sent:
    """Sends a directory."""
    store = Store(url, {})
    return send(store, files_of(root), store.listed(), time.monotonic() + until_s, lambda: None)


def test_only_regular_files_of_the_directory(job: Path) -> None:
    """No link, pipe or socket, and not the journal."""
    assert [file.name for file in files_of(job)] == ["a.txt", "empty", "sub/b.bin"]
    (job / "down").symlink_to("sub")
    assert not list(journal_apart(job, "down"))


@pytest.mark.parametrize("url", ["memory://there/x", "lossy://there", "{}/there/é #1", "file://{}/there"])
def test_what_is_there_is_not_sent_again(job: Path, url: str) -> None:
    """Neither to a store that has no directories, nor to one that has none yet; what has changed is."""
    url = url.format(job.parent)
    first = sent_to(url, job)
    assert (first.sent, first.there, first.complete) == (3, 0, True)
    assert first.bytes == 5 + 2_560_000
    assert sent_to(url, job).bytes == first.bytes
    assert {name: info["size"] for name, info in Store(url, {}).listed().items()} == {
        "a.txt": 5,
        "empty": 0,
        "sub/b.bin": 2_560_000,
    }
    again = sent_to(url, job)
    assert (again.sent, again.there, again.complete) == (0, 3, True)
    (job / "a.txt").write_text("hellO")  # as long as before
    third = sent_to(url, job)
    assert (third.sent, third.there) == (1, 2)
    assert Store(url, {}).read("a.txt") == b"hellO"


def test_a_copy_with_other_bytes_is_sent_once_more(job: Path) -> None:
    """And is no success if it has others again."""
    Lossy.left = 1
    assert sent_to("lossy://x", job).complete
    assert Store("lossy://x", {}).read("a.txt") == b"hello"
    assert len(Lossy.written) == 4
    (job / "sub" / "b.bin").unlink()
    (job / "a.txt").write_text("other")
    Lossy.left = 10
    sent = sent_to("lossy://x", job)
    assert [type(error) for error in sent.failed.values()] == [NotAsSentError]
    assert not sent.complete
    assert [file.name for file in sent.verified] == ["empty"]


def test_a_store_that_is_not_there_is_not_asked_for_each_file(job: Path) -> None:
    """After a few it raises what the store raised."""
    for number in range(50):
        (job / f"{number}.txt").write_text("x")
    with pytest.raises(ConnectionError, match="nobody answers"):
        sent_to("down://x", job)
    assert Down.asked < 10


def test_when_the_time_is_up(job: Path) -> None:
    """Nothing more is sent, and that is said."""
    sent = sent_to("memory://x", job, until_s=-1)
    assert not sent.complete
    assert not sent.failed
    assert "/x/sub/b.bin" not in MemoryFileSystem.store or sent_to("memory://x", job).complete


def test_a_file_that_cannot_be_read_keeps_no_other_from_it(job: Path) -> None:
    """One that vanishes is none; one that is another thing by now has failed."""
    files = files_of(job)
    (job / "a.txt").unlink()
    (job / "empty").unlink()
    (job / "empty").mkdir()
    sent = send(Store("memory://x", {}), files, {}, time.monotonic() + 60, lambda: None)
    assert (sent.sent, list(sent.failed)) == (1, ["empty"])


def test_only_what_is_there_is_deleted(job: Path) -> None:
    """Not what has changed since, nor what people and commands read, nor behind a link, nor of another job."""
    for name in ("app.log", "metrics.jsonl", ".hydra/config.yaml", "changed", "other/model", "moved/model"):
        (job / name).parent.mkdir(exist_ok=True)
        (job / name).write_text(name)
    sent = sent_to("memory://x", job)
    (job / "changed").write_text("more than before")
    (job / "moved").rename(job.parent / "moved")
    (job / "moved").symlink_to(job.parent / "moved")
    assert delete(file for file in deletable(job, "", [".hydra"]) if file in sent.verified) == 4
    left = {file.name for file in files_of(job)}
    assert left == {"app.log", "metrics.jsonl", ".hydra/config.yaml", "changed"}
    assert (job.parent / "moved" / "model").exists()
    assert deletable(job, "other", []) == []


def test_a_file_that_grows_while_it_is_read(job: Path) -> None:
    """It is sent as it was when it was opened, and stays here."""
    growing = job / "grows.bin"
    growing.write_bytes(bytes(3_000_000))

    def grow() -> None:
        with growing.open("ab") as file:
            file.write(b"more")

    sent = send(
        Store("memory://x", {}),
        [file for file in files_of(job) if file.name == "grows.bin"],
        {},
        time.monotonic() + 60,
        grow,
    )
    assert sent.complete
    assert Store("memory://x", {}).read("grows.bin") == bytes(3_000_000)
    assert not sent.verified


def test_which_library_is_missing() -> None:
    """It is known without being imported."""
    assert missing_library("/mnt/share") is None
    assert missing_library("lossy://x") is None
    with pytest.raises(UnknownSchemeError) as raised:
        missing_library("s33://x")
    assert raised.value.nearest == "s3"


def test_a_disk_that_is_full_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is done with the half of a file."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalFileOpener, "write", full)
    (tmp_path / "a").write_bytes(b"x")
    store = Store((tmp_path / "there").as_uri(), {})
    sent = send(store, [LocalFile(tmp_path / "a", "a", 1, 0.0)], {}, float("inf"), lambda: None)
    assert [(type(error), error.errno) for error in sent.failed.values()] == [(OSError, errno.ENOSPC)]
