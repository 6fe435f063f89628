"""Signals to processes that are on record: never to one that only has got the pid of one that is gone."""

import contextlib
import os
import signal
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.process import ProcessIdentity, is_alive, neighbour

GENTLY: Final = signal.SIGINT
"""As Ctrl-C does: Python raises it where the process is, and what is to be done at the end is done."""

HARD: Final = getattr(signal, "SIGKILL", signal.SIGTERM)

LOOKS_EVERY_S: Final = 0.1
"""How often it is looked whether what was told to end is gone."""
HARD_WITHIN_S: Final = 10.0
"""How long what was killed may take to be gone."""


def is_certain(process: ProcessIdentity) -> bool:
    """Whether a process lives here, and is known to be the one that is on record, by the time of its birth."""
    return process.born is not None and is_alive(process) is True


def send(process: ProcessIdentity, number: int) -> bool:
    """Sends a signal.

    Args:
        process: to whom.
        number: which; `GENTLY` becomes SIGTERM for a process that ignores Ctrl-C.

    Returns:
        Whether it was sent; False where the process is gone, or is not known for certain to be that one.

    Raises:
        PermissionError: if it is another user's.
    """
    handle = -1
    with contextlib.suppress(AttributeError, OSError, OverflowError):  # it is gone, or the system is an old one
        handle = os.pidfd_open(process.pid)  # from here on it cannot become another's
    try:
        if not is_certain(process):
            return False
        if number == GENTLY and _ignores(process, number):
            number = signal.SIGTERM
        if handle >= 0:
            signal.pidfd_send_signal(handle, number)
        else:
            os.kill(process.pid, number)
    except ProcessLookupError:
        return False
    finally:
        if handle >= 0:
            os.close(handle)
    return True


def is_gone_by(process: ProcessIdentity, until_s: float) -> bool:
    """Waits until a process is gone, or nobody can tell.

    Args:
        process: the process.
        until_s: how long at most, by the monotonic clock.
    """
    while is_alive(process) and time.monotonic() < until_s:
        time.sleep(LOOKS_EVERY_S)
    return not is_alive(process)


def descendants(processes: Collection[ProcessIdentity]) -> list[ProcessIdentity]:
    """What processes of this machine have started, and those in turn, as far as Linux tells.

    Args:
        processes: they are known to live.
    """
    starts, parents = _machine()
    found = {process.pid for process in processes}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    mine = found - {process.pid for process in processes} - {os.getpid()}
    return [neighbour(pid, starts[pid]) for pid in sorted(mine)]


def _machine() -> tuple[dict[int, str], dict[int, int]]:
    """When each process was started, and by whom."""
    starts: dict[int, str] = {}
    parents: dict[int, int] = {}
    with contextlib.suppress(OSError):
        for entry in os.scandir("/proc"):
            with contextlib.suppress(OSError, ValueError):
                if entry.name.isdecimal():
                    fields = Path(entry.path, "stat").read_text("utf-8").rpartition(")")[2].split()
                    starts[int(entry.name)], parents[int(entry.name)] = fields[19], int(fields[1])
    return starts, parents


def _ignores(process: ProcessIdentity, number: int) -> bool:
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc", str(process.pid), "status").read_text("utf-8").splitlines():
            name, _, mask = line.partition(":")
            if name == "SigIgn":
                return bool(int(mask, 16) >> (number - 1) & 1)
    return False
