"""What reads a job's output, tried in this process: whatever becomes of where it writes to, it reads to the end."""

import errno
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("nothing is captured on Windows", allow_module_level=True)

from hydra_callback_kit.capture.reader import BLOCK, HELD, Pipe, Reader


class Job:
    """What a job has of it: the end of a pipe to write to, and whom to ask. A thread does what its process would do."""

    def __init__(self, file: int, shown: int) -> None:
        source, self.writes = os.pipe()
        asked, self.asks = os.pipe()
        self.answers, answers = os.pipe()
        self._reader = Reader(asked, answers, [Pipe(source, file, shown)])
        self._numbers = [asked, answers, self.asks, self.answers]
        self._thread = threading.Thread(target=self._reader.read, daemon=True)
        self._thread.start()

    def ask(self) -> bytes:
        """Asks whether all is there."""
        os.write(self.asks, b"?")
        return os.read(self.answers, 100)

    def writes_on(self) -> None:
        """Writes until it cannot."""
        while True:
            os.write(self.writes, b"more")

    def closes(self, number: int) -> None:
        """The end of the pipe is gone with the job."""
        self._numbers.remove(number)
        os.close(number)

    def end(self) -> None:
        """Nobody writes any more, and so the reader ends."""
        os.close(self.writes)
        self._thread.join(60)
        assert not self._thread.is_alive()
        for number in self._numbers:
            os.close(number)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """Where it is kept."""
    descriptor = os.open(tmp_path / "output.log", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def held(file: int) -> bytes:
    """What a file holds."""
    return os.pread(file, 10**8, 0)


@pytest.mark.parametrize("size", [1, BLOCK, BLOCK + 1, 2 * HELD + 1])
def test_all_is_kept_and_shown_before_it_is_answered(file: int, tmp_path: Path, size: int) -> None:
    """Also what was written after a child of the job's had it."""
    shown = os.open(tmp_path / "shown", os.O_RDWR | os.O_CREAT)
    job, text = Job(file, shown), os.urandom(size)
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(job.writes, rest) :]
    assert job.ask() == b"0 0\n"
    assert held(file) == held(shown) == text
    os.write(job.writes, b"by a child")
    job.end()
    assert held(file) == held(shown) == text + b"by a child"
    os.close(shown)


def full() -> int:
    """A disk without room."""
    return os.open("/dev/full", os.O_WRONLY)


def hung_up() -> int:
    """A terminal that was closed."""
    ours, its = os.openpty()
    os.close(ours)
    return its


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is full")
def test_what_cannot_be_kept_is_shown_and_the_other_way_round(file: int) -> None:
    """The answer names the error."""
    job = Job(full(), file)
    os.write(job.writes, b"once")
    assert job.ask() == b"%d 0\n" % errno.ENOSPC
    job.end()
    assert held(file) == b"once"

    os.ftruncate(file, 0)
    job = Job(file, full())
    for _ in range(2):
        os.write(job.writes, b"once")
    assert job.ask() == b"0 %d\n" % errno.ENOSPC
    job.end()


def test_a_terminal_that_was_closed_is_written_to_once(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept goes on."""
    shown, written = hung_up(), []
    write = os.write
    monkeypatch.setattr(
        os, "write", lambda to, block: (written.append(bytes(block)) if to == shown else None, write(to, block))[1]
    )
    job = Job(file, shown)
    for place in range(3):
        write(job.writes, b"%d" % place)
        while len(held(file)) <= place:
            pass
    assert job.ask() == b"0 %d\n" % errno.EIO
    job.end()
    assert held(file) == b"012"
    assert written == [b"0"]
    os.close(shown)


def test_where_nobody_reads_on_the_job_is_told_by_its_next_write(file: int) -> None:
    """As without us: `app.py | head`."""
    reads, shown = os.pipe()
    os.close(reads)
    job = Job(file, shown)
    os.write(job.writes, b"kept")
    os.write(job.asks, b"?")
    assert os.read(job.answers, 100) == b"0 0\n"
    with pytest.raises(BrokenPipeError):
        job.writes_on()
    job.end()
    assert held(file).startswith(b"kept")
    os.close(shown)


def test_it_waits_for_who_reads_slowly(file: int) -> None:
    """A pipe that does not block its writer is no error."""
    reads, shown = os.pipe()
    os.set_blocking(shown, False)
    job, text = Job(file, shown), os.urandom(HELD // 2)
    got = bytearray()

    def read() -> None:
        while len(got) < len(text):
            got.extend(os.read(reads, 1 << 14))

    slow = threading.Thread(target=read, daemon=True)
    slow.start()
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(job.writes, rest) :]
    assert job.ask() == b"0 0\n"
    slow.join(60)
    job.end()
    assert bytes(got) == held(file) == text
    os.close(reads)
    os.close(shown)


@pytest.mark.parametrize("while_it_asks", [False, True])
def test_a_job_that_was_killed_leaves_what_it_wrote(file: int, while_it_asks: bool) -> None:
    """It goes on until the job's children cannot write any more."""
    null = os.open(os.devnull, os.O_WRONLY)
    job = Job(file, null)
    os.write(job.writes, b"before")
    if while_it_asks:
        job.closes(job.answers)
        os.write(job.asks, b"?")
    else:
        job.closes(job.asks)
    os.write(job.writes, b" after")
    job.end()
    assert held(file) == b"before after"
    os.close(null)


def test_who_writes_for_ever_keeps_nobody_waiting(file: int) -> None:
    """What a child writes after the job has ended is not waited for."""
    null = os.open(os.devnull, os.O_WRONLY)
    job, enough = Job(file, null), threading.Event()

    def floods() -> None:
        while not enough.is_set():
            os.write(job.writes, bytes(4096))

    child = threading.Thread(target=floods, daemon=True)
    child.start()
    assert job.ask() == b"0 0\n"
    enough.set()
    child.join(60)
    job.end()
    os.close(null)
