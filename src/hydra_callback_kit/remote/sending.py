"""Sends files to a store and makes sure of them: a copy counts when its size and its checksum are those of what was read.

The checksum is the store's own where it says the MD5 of a file, or of its parts, as S3, Google and Azure do. Where it says
nothing, or something else, the copy is read back.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import IO, Any, Final

from hydra_callback_kit.journal.regular_file import open_regular
from hydra_callback_kit.remote.digest import Digest, block_size_of
from hydra_callback_kit.remote.store import Store
from hydra_callback_kit.remote.tree import LocalFile

_PIECE: Final = 1 << 20
_AT_ONCE: Final = 4
"""Files that are sent at the same time: of small ones most of the time is waiting."""
_MOST_ERRORS: Final = 3
"""Files that may fail before any has been sent: then the others would, too."""


@dataclass
class Sent:
    """What became of some files.

    Attributes:
        sent: those that were sent, and are there as they were read.
        there: those that were there already.
        bytes: of both.
        failed: why a file is not there, by its name.
        has_all: whether each of them was looked at; not if the time was up before.
        verified: those that are there as they lie here, and have not changed since.
    """

    sent: int = 0
    there: int = 0
    bytes: int = 0
    failed: dict[str, BaseException] = field(default_factory=dict)
    has_all: bool = True
    verified: list[LocalFile] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all are there."""
        return self.has_all and not self.failed


class NotAsSentError(OSError):
    """A store has other bytes than were sent."""


class _TimeIsUpError(Exception):
    """No more is sent."""


def send(
    store: Store,
    files: Iterable[LocalFile],
    known: Mapping[str, Mapping[str, Any]],
    until_s: float,
    answered: Callable[[], None],
) -> Sent:
    """Sends files that are not there yet, several at a time.

    Args:
        store: where they go, each under its own name.
        files: the files.
        known: what is there, as `Store.listed` says it.
        until_s: when to stop, by the monotonic clock.
        answered: called whenever the store has taken something in.

    Returns:
        What became of them. A file that cannot be read is one that failed; one that has vanished is none.

    Raises:
        OSError: or whatever the store's library raises, if the first files all fail.
    """
    sending = _Sending(store, known, until_s, answered, files)
    _together(sending.work, min(_AT_ONCE, sending.waiting.qsize()))
    done = sending.done
    if not sending.waiting.empty():
        if sending.is_hopeless and done.has_all:
            raise next(iter(done.failed.values()))
        done.has_all = False
    return done


class _Sending:
    """What several threads do together."""

    def __init__(
        self,
        store: Store,
        known: Mapping[str, Mapping[str, Any]],
        until_s: float,
        answered: Callable[[], None],
        files: Iterable[LocalFile],
    ) -> None:
        self.done = Sent()
        self.waiting: SimpleQueue[LocalFile] = SimpleQueue()
        for file in files:
            self.waiting.put(file)
        self._store = store
        self._known = known
        self._until_s = until_s
        self._answered = answered
        self._lock = threading.Lock()

    @property
    def is_hopeless(self) -> bool:
        """Whether the first files all have failed."""
        return len(self.done.failed) >= _MOST_ERRORS and not self.done.sent and not self.done.there

    def work(self) -> None:
        """Sends one after another, until none waits or the time is up."""
        while not self.is_hopeless:
            try:
                file = self.waiting.get_nowait()
            except Empty:
                return
            try:
                self._send(file)
            except _TimeIsUpError:
                self.done.has_all = False
                return
            except Exception as error:  # noqa: BLE001  whatever the library raises; the others are sent
                if file.path.exists() or not isinstance(error, FileNotFoundError):
                    self.done.failed[file.name] = error

    def _send(self, file: LocalFile) -> None:
        with open_regular(file.path) as source:
            before = os.fstat(source.fileno())
            size, name, info = before.st_size, file.name, self._known.get(file.name)
            is_there = False
            if info is not None and info.get("size") == size:
                is_there = self._is_there(name, info, self._digest_of(source, size, block_size_of(size)))
            if not is_there:
                self._store.make_room(name)
                if not self._is_sent(name, source, size) and not self._is_sent(name, source, size):
                    raise NotAsSentError(f"{name} has other bytes there than were sent")
            after = os.fstat(source.fileno())
        with self._lock:
            self.done.sent += not is_there
            self.done.there += is_there
            self.done.bytes += size
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
                self.done.verified.append(LocalFile(file.path, name, after.st_size, after.st_mtime))

    def _is_sent(self, name: str, source: IO[bytes], size: int) -> bool:
        source.seek(0)
        digest = self._copy(name, source, size)
        self._answered()
        return self._is_there(name, self._store.info(name), digest)

    def _copy(self, name: str, source: IO[bytes], size: int) -> Digest:
        """Sends the bytes that a file had as it was opened: one that grows meanwhile is sent up to there."""
        block_size = block_size_of(size)
        digest = Digest(block_size)
        target = self._store.open(name, "wb", block_size)
        try:
            while digest.size < size and (data := source.read(min(_PIECE, size - digest.size))):
                self._check()
                target.write(data)
                digest.add(data)
                if digest.size % block_size == 0:
                    self._answered()
            self._check()
        except BaseException:
            _throw_away(target)
            raise
        target.close()
        return digest

    def _is_there(self, name: str, info: Mapping[str, Any], digest: Digest) -> bool:
        if info.get("size") != digest.size:
            return False
        if digest.is_said_by(info):
            return True
        with self._store.open(name, "rb", digest.block_size) as copy:
            return self._digest_of(copy, digest.size, digest.block_size) == digest

    def _digest_of(self, source: IO[bytes], size: int, block_size: int) -> Digest:
        digest = Digest(block_size)
        while digest.size < size and (data := source.read(min(_PIECE, size - digest.size))):
            self._check()
            digest.add(data)
        return digest

    def _check(self) -> None:
        if time.monotonic() > self._until_s:
            raise _TimeIsUpError


def _throw_away(target: Any) -> None:
    """Half a file must not become a whole one, which closing it would make of it."""
    from fsspec.spec import AbstractBufferedFile  # noqa: PLC0415  few apps need it

    if isinstance(target, AbstractBufferedFile):
        try:
            target.discard()
        finally:
            target.closed = True
    else:
        target.close()


def _together(work: Callable[[], None], count: int) -> None:
    """Does something in threads that keep no process from ending, and waits for them."""
    outcomes: list[Future[None]] = []
    for number in range(count):
        outcome: Future[None] = Future()
        context = copy_context()

        def run(outcome: Future[None] = outcome, context: Any = context) -> None:
            try:
                context.run(work)
            except BaseException as error:  # noqa: BLE001  who waits for it raises it
                outcome.set_exception(error)
            else:
                outcome.set_result(None)

        thread = threading.Thread(target=run, name=f"hydra_callback_kit upload {number}", daemon=True)
        outcomes.append(outcome)
        thread.start()
    for outcome in outcomes:
        outcome.result()
