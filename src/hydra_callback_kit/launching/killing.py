"""Ends the calling process at a set time, whatever holds the interpreter then.

Where C code does not give the interpreter back no line of Python runs, in no thread. Python's `faulthandler` has a thread
that needs none: it writes where the process hangs, and ends it.
"""

import faulthandler
import os
import sys
import time
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.safe_log import takes_text


class End(NamedTuple):
    """When a process is to be ended.

    Attributes:
        when_s: by `time.monotonic`.
        descriptor: of the file that it is written to where the process was then; None for stderr.
    """

    when_s: float
    descriptor: int | None


def end_this_process(end: End) -> None:
    """Ends the calling process at a time, unless that is called off. It costs a thread of C, and none of Python.

    Args:
        end: when.
    """
    if not _ends and not _looks_at_forks:
        _looks_at_forks.append(True)
        if hasattr(os, "register_at_fork"):
            # a forked child has the lock of that thread and not the thread: it would wait for it as it ends
            os.register_at_fork(before=_disarm, after_in_parent=_arm, after_in_child=_ends.clear)
    _ends.append(end)
    _arm()


def call_off(end: End) -> None:
    """Does not end the process then; does nothing if it was not going to.

    Args:
        end: as it was set.
    """
    if end in _ends:
        _disarm()
        _ends.remove(end)
        _arm()


_ends: Final[list[End]] = []
"""When to end this process: a job inside of a job has a time of its own."""

_looks_at_forks: Final[list[bool]] = []


def _arm() -> None:
    if _ends:
        when_s, file = min(_ends, key=lambda end: end.when_s)
        left_s = max(when_s - time.monotonic(), 0.001)
        stream: Any = sys.stderr if file is None and takes_text(sys.stderr) else file
        try:
            faulthandler.dump_traceback_later(left_s, exit=True, file=stream)
        except (AttributeError, OSError, RuntimeError, ValueError):  # there is none, or no file behind it
            _nowhere[:] = _nowhere or [os.open(os.devnull, os.O_WRONLY)]
            faulthandler.dump_traceback_later(left_s, exit=True, file=_nowhere[0])


def _disarm() -> None:
    if _ends:
        faulthandler.cancel_dump_traceback_later()


_nowhere: Final[list[int]] = []
"""Where it is written what nobody can read."""
