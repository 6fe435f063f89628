"""Watches how long a task function takes: raises in it when its time is over, and ends its process if it does not leave.

In the main thread the exception is raised by a handler of SIGURG, which the system ignores unless somebody listens. A signal
wakes the thread where it waits: in `time.sleep`, for a lock, a child, a socket. In other threads, on Windows, and where the
app listens to SIGURG itself, the interpreter raises it, as soon as the thread runs a line of Python.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.last_words import LastWordsFile
from hydra_callback_kit.launching.killing import End, call_off, end_this_process
from hydra_callback_kit.launching.thread_exceptions import raise_in, take_back
from hydra_callback_kit.launching.timeouts import Expected, JobTimeoutError, expect

TO_SAY_SO_S: Final = 2.0
"""How long the record of a job may take that is about to be killed; then it is killed anyway."""

CALLS_IT: Final = str(Path("launching", "limited.py"))
"""What tells the frame that calls the task function."""

_JOIN_S: Final = 1.0
_AGAIN_S: Final = 1.0
"""How soon a task function that cannot be killed is told again, at the soonest."""
_SIGNAL: Final[int | None] = getattr(signal, "SIGURG", None)
_KILL: Final[int] = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows any signal ends a process at once


class Own(NamedTuple):
    """What is known of a job whose process is its own, and may be killed.

    Attributes:
        record: puts it on record that the process is killed; called from another thread, with an exception that is not
            raised and the lines of the traceback of the task function.
        last_words: where it is written where it was, if no line of Python runs any more; None for stderr.
    """

    record: Callable[[JobTimeoutError, list[str]], None]
    last_words: LastWordsFile | None


class JobWatch:
    """Watches one call of a task function, in the thread that makes it.

    Args:
        job_s: how long it may take.
        grace_s: how long it may go on after it was told; then its process is killed, or it is told again.
        says: what the exception says.
        own: of a process that may be killed; None for one that may not.

    Attributes:
        is_due: whether the handler of the signal still has to tell the task function that its time is over.
    """

    def __init__(self, job_s: float, grace_s: float, says: Expected, own: Own | None) -> None:
        self._job_s = job_s
        self._grace_s = grace_s
        self._says = says
        self._own = own
        self._pid = os.getpid()
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        # no Event: what is raised in the middle of its code, which is Python's, would leave it locked for ever
        self._is_over = False
        self._wakes = threading.Lock()
        self._wakes.acquire()
        self._is_watched = threading.Lock()  # what is raised while a thread is being started would come out as a `KeyError`
        self._is_watched.acquire()
        self._listens = False
        self._was_raised = False
        self._has_told = False
        self._is_killed = False
        self._end: End | None = None
        self.is_due = False
        self._watching = threading.Thread(target=self._watch, name="hydra_callback_kit.time_limit", daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        _open.append(self)
        self._listens = _listen()
        if not self._listens:
            import ctypes  # noqa: F401, PLC0415  the thread is not to import, beside jobs that fork

        expect(self._thread, self._says)
        if self._own is not None:
            words = self._own.last_words
            when_s = time.monotonic() + self._job_s + self._grace_s + TO_SAY_SO_S
            self._end = End(when_s, None if words is None else words.descriptor)
            end_this_process(self._end)
        self._watching.start()
        self._is_watched.release()

    def end(self) -> None:
        """Watches no longer: when it has returned, nothing is raised any more.

        The exception may be raised while it runs, once. Then it has to be called again.
        """
        if self._pid != os.getpid():
            return  # a forked child has neither the thread nor a limit
        self._is_over = True
        if self._wakes.locked():
            self._wakes.release()
        with self._lock:
            pass  # the thread is about to raise, or will not
        while self._is_killed:
            time.sleep(_JOIN_S)  # it is on record that the process was killed, and it is about to be
        if self in _open:
            _open.remove(self)
        if self._was_raised:
            take_back(self._thread, JobTimeoutError)
        if self._listens:
            _listen_no_more()
        outer = [watch for watch in _open if watch._thread == self._thread]  # noqa: SLF001  the class's own
        expect(self._thread, outer[-1]._says if outer else None)  # noqa: SLF001  the same
        if self._end is not None:
            call_off(self._end)
            self._forget_last_words()
        if self._watching.ident is not None:
            self._watching.join(_JOIN_S)

    @property
    def has_told(self) -> bool:
        """Whether the task function was told that its time is over; not in a forked child, which goes its own way."""
        return self._has_told and self._pid == os.getpid()

    def error(self) -> JobTimeoutError:
        """What is raised."""
        return JobTimeoutError(self._says.message, interrupts=self._says.interrupts)

    def _watch(self) -> None:
        if self._is_over_within(self._job_s):
            return
        self._is_watched.acquire()
        self._tell()
        own = self._own
        while not self._is_over_within(self._grace_s if own else max(self._grace_s, _AGAIN_S)):
            if own is not None:
                self._kill(own)
            else:
                self._tell()

    def _is_over_within(self, time_s: float) -> bool:
        return self._wakes.acquire(timeout=min(time_s, threading.TIMEOUT_MAX)) or self._is_over

    def _tell(self) -> None:
        with self._lock:
            if self._is_over:
                return
            self._has_told = True
            if self._listens and _SIGNAL is not None and signal.getsignal(_SIGNAL) is _raise_what_is_due:
                self.is_due = True
                signal.pthread_kill(self._thread, _SIGNAL)
            else:
                self._was_raised = True
                raise_in(self._thread, JobTimeoutError)

    def _kill(self, own: Own) -> None:
        with self._lock:
            if self._is_over:
                return
            self._is_killed = True
        try:
            message = f"{self._says.message}, and had not left after {self._grace_s:g} s more: its process was killed"
            own.record(JobTimeoutError(message, interrupts=self._says.interrupts), self._where())
            self._forget_last_words()
        finally:
            os.kill(self._pid, _KILL)

    def _where(self) -> list[str]:
        """The lines of the traceback of the task function."""
        at = sys._current_frames().get(self._thread)  # noqa: SLF001  it is documented
        frames = traceback.format_stack(at) if at else []
        called = [place for place, frame in enumerate(frames) if CALLS_IT in frame]
        return frames[called[-1] + 1 :] if called else frames

    def _forget_last_words(self) -> None:
        if self._own is not None and self._own.last_words is not None:
            self._own.last_words.remove()


_open: Final[list[JobWatch]] = []
"""Those that watch in this process: a job inside of a job comes after it."""

_before: Final[list[Any]] = []
"""Who listened to the signal before: one while this module does, or none."""


def _listen() -> bool:
    """Listens to the signal, if this is the main thread and nobody else does."""
    if _SIGNAL is None or threading.current_thread() is not threading.main_thread():
        return False
    at = signal.getsignal(_SIGNAL)
    if at is not _raise_what_is_due:
        if at not in (signal.SIG_DFL, signal.SIG_IGN):
            return False
        try:
            _before[:] = [signal.signal(_SIGNAL, _raise_what_is_due)]
        except ValueError:  # an interpreter within another program
            return False
    return True


def _listen_no_more() -> None:
    if _SIGNAL is not None and _before and not any(watch._listens for watch in _open):  # noqa: SLF001  the module's own
        if signal.getsignal(_SIGNAL) is _raise_what_is_due:
            signal.signal(_SIGNAL, _before[0])
        _before.clear()


def _raise_what_is_due(_signal: int, _frame: FrameType | None) -> None:
    """Called in the main thread, between two of its instructions."""
    for watch in _open:
        if watch.is_due and watch._pid == os.getpid() and not watch._is_over:  # noqa: SLF001  the same
            watch.is_due = False
            raise watch.error()


def without_the_handler(error: BaseException) -> None:
    """Ends the tracebacks of an exception, and of those that it came from, where the task function was told.

    Args:
        error: what was raised: in the handler, or by a task function that answers what is raised there.
    """
    seen: list[BaseException | None] = []
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is None or any(each is before for before in seen):
            continue
        seen.append(each)
        left += (each.__cause__, each.__context__)
        at = each.__traceback__
        while at is not None and at.tb_next is not None:
            if at.tb_next.tb_frame.f_code is _raise_what_is_due.__code__:
                at.tb_next = None
            at = at.tb_next
