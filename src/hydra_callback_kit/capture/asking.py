"""The reading process, as the job's process sees it: it is started, and asked at the end whether all is there."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from hydra_callback_kit.capture.descriptors import Descriptor, pipe

_SCRIPT: Final = str(Path(__file__).with_name("reader.py"))


class Missing(NamedTuple):
    """What went wrong with a job's output: the numbers of errors, 0 for none.

    Attributes:
        kept: something is missing in the file.
        shown: something was not passed on.
    """

    kept: int = 0
    shown: int = 0


class NoReaderError(OSError):
    """The process that reads what a job writes could not be started."""


class Channel(NamedTuple):
    """A way from the job's descriptors to a file and to where they led before."""

    reads: Descriptor
    file: Descriptor
    shown: Descriptor


class Reading:
    """The process that reads what a job writes.

    Args:
        channels: what it reads.

    Raises:
        NoReaderError: if it could not be started.
        OSError: if there are no more processes or descriptors to be had.
    """

    def __init__(self, channels: Sequence[Channel]) -> None:
        its_asked, self._asks = pipe()
        self._answers, its_answers = pipe()
        numbers = [its_asked.number, its_answers.number, *(each.number for channel in channels for each in channel)]
        try:
            _start(numbers)
        except BaseException:
            self._close()
            raise
        finally:
            its_asked.close()
            its_answers.close()

    def finish(self) -> Missing | None:
        """Waits until all is kept and shown that was written up to now.

        Returns:
            What is missing; None if the process is gone, or the job has closed its descriptors.
        """
        answer = b""
        try:
            if self._asks.is_there and self._answers.is_there:
                with contextlib.suppress(OSError):
                    os.write(self._asks.number, b"?")
                    answer = os.read(self._answers.number, 100)
        finally:
            self._close()
        return Missing(*map(int, answer.split())) if answer else None

    def _close(self) -> None:
        self._asks.close()
        self._answers.close()


def _start(numbers: Sequence[int]) -> None:
    """Starts it; the process that is waited for here has already left it to itself."""
    if getattr(sys, "frozen", False) or not sys.executable:
        raise NoReaderError("there is no Python that could read what the job writes: write tee=false")
    null = subprocess.DEVNULL
    # it has a session of its own: neither Ctrl-C nor the end of the terminal is meant for it
    started = subprocess.Popen(  # noqa: S603  no word of it is anybody's but ours
        [sys.executable, "-I", "-S", _SCRIPT, *map(str, numbers)],
        stdin=null,
        stdout=null,
        stderr=null,
        cwd="/",
        pass_fds=numbers,
        start_new_session=True,
    )
    if started.wait():
        raise NoReaderError(f"{sys.executable} could not be started to read what the job writes: write tee=false")
