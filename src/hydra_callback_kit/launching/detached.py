"""A process without a terminal that starts a command once more, and what it says to the one that has started it.

Between the two stands a shell, which stays to write down the exit code: the process that started it is gone by then. The
process is in a session of its own, so that no terminal that closes ends it, and hears no SIGHUP.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from hydra_callback_kit.journal.output_file import OutputFollower, exit_code_file, write_starting
from hydra_callback_kit.journal.process import neighbour

SHELL: Final = Path("/bin/sh")

_VARIABLE: Final = "HYDRA_CALLBACK_KIT_DETACHED"
"""How a process learns that it is the one that was detached."""

_SCRIPT: Final = 'trap "" HUP; file=$1; shift; "$@"; code=$?; { echo "$code" > "$file"; } 2> /dev/null; exit "$code"'

_LOOKS_EVERY_S: Final = 0.05

_ENDS_WITHIN_S: Final = 10.0
"""How long it may take to end where Ctrl-C has come before it was detached."""


class HandedOn(NamedTuple):
    """What a process is told that was detached.

    Attributes:
        key: `hydra.run.dir` or `hydra.sweep.dir`.
        directory: what it is to be.
        output: the name of the file that the output goes to.
    """

    key: str
    directory: str
    output: str


class DetachedProcess:
    """Starts a command without a terminal.

    Args:
        words: the command.
        cwd: where it starts.
        output: the file that its output goes to.
        handed_on: what it is told.

    Raises:
        OSError: if it cannot be started.
    """

    def __init__(self, words: Sequence[str], cwd: str, output: Path, handed_on: HandedOn) -> None:
        self._output = OutputFollower(output)
        self._pipe, theirs = os.pipe()
        self._said = b""
        try:
            told = json.dumps([theirs, os.fstat(theirs).st_ino, *handed_on])
            with output.open("ab") as file:
                self._process = subprocess.Popen(  # noqa: S603  the command that has started this process
                    [str(SHELL), "-c", _SCRIPT, str(SHELL), str(exit_code_file(output)), *words],
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,
                    pass_fds=(theirs,),
                    env={**os.environ, _VARIABLE: told},
                )
            write_starting(output, neighbour(self._process.pid))
        except BaseException:
            os.close(self._pipe)
            raise
        finally:
            os.close(theirs)

    def wait_for_launch(
        self, show: Callable[[bytes], None], is_handed_over: Callable[[], bool], limit_s: float
    ) -> int | None:
        """Waits until the first job is launched.

        Args:
            show: gets what is written until then.
            is_handed_over: asked once that is said, as often as need be: whether the launcher is known to have taken it.
            limit_s: how long that is waited for, in seconds.

        Returns:
            None where it was launched; else the exit code, for the process has ended.
        """
        until_s: float | None = None
        while True:
            code = self._process.poll()
            size = self._size_at_launch()
            if size is not None and until_s is None:
                until_s = time.monotonic() + limit_s
                show(self._output.new(size))
            handed_over = until_s is not None and is_handed_over()
            if handed_over or (until_s is not None and time.monotonic() > until_s):
                return None
            show(self._output.new())
            if code is not None:
                return code
            self._wait()

    def interrupt(self) -> None:
        """Ends it as Ctrl-C would, and hard if that does not, or if Ctrl-C comes again."""
        for number in (signal.SIGINT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                self._process.wait(_ENDS_WITHIN_S)
                return

    def _size_at_launch(self) -> int | None:
        """How much output there was as the first job was launched; None as long as none is."""
        while self._pipe >= 0 and select.select([self._pipe], [], [], 0)[0]:
            said = os.read(self._pipe, 100)
            self._said += said
            if not said:  # nobody is left to say anything
                os.close(self._pipe)
                self._pipe = -1
        return int(self._said) if self._said.endswith(b"\n") else None

    def _wait(self) -> None:
        if self._pipe >= 0:
            select.select([self._pipe], [], [], _LOOKS_EVERY_S)
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_LOOKS_EVERY_S)


class _Mine:
    """What the calling process is told, if it was detached."""

    def __init__(self) -> None:
        self.pid = 0
        self.told: HandedOn | None = None
        self.pipe = -1
        self.is_within = False


_mine: Final = _Mine()


def handed_on_to_this_process() -> HandedOn | None:
    """Tells what the calling process is told as the one that was detached; None for any other."""
    _look()
    return _mine.told


def is_within_detached() -> bool:
    """Whether the calling process is another one than the one that was detached, but was started by it."""
    _look()
    return _mine.is_within


def say_launched() -> None:
    """Says, once, that the first job is launched; does nothing in a process that was not detached."""
    if _mine.pid != os.getpid() or _mine.pipe < 0:
        return
    pipe, _mine.pipe = _mine.pipe, -1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # an app may have closed or replaced it
            stream.flush()
    with contextlib.suppress(OSError):  # who has started this process is gone
        os.write(pipe, b"%d\n" % os.fstat(1).st_size)
    with contextlib.suppress(OSError):
        os.close(pipe)


def _look() -> None:
    """Takes what is said in the environment, so that no process hears it that this one starts."""
    if _mine.pid == os.getpid():
        return
    was_detached = _mine.told is not None  # and this is a fork of it
    _mine.pid, _mine.told, _mine.pipe, _mine.is_within = os.getpid(), None, -1, was_detached or _mine.is_within
    text = os.environ.pop(_VARIABLE, None)
    if text is None:
        return
    told = _told(text)
    _mine.is_within = told is None
    if told is not None:
        _mine.pipe, _mine.told = told
        os.set_inheritable(_mine.pipe, False)


def _told(text: str) -> tuple[int, HandedOn] | None:
    """What is said, if it is said to this process: only that one has the pipe."""
    with contextlib.suppress(ValueError, TypeError, OSError):
        pipe, number, *words = json.loads(text)
        if os.fstat(pipe).st_ino == number and [*map(type, words)] == [str, str, str]:
            return pipe, HandedOn(*words)
    return None
