"""Signals reach the process that is on record, and no other."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

from hydra_callback_kit.journal.process import ProcessIdentity, this_process
from hydra_callback_kit.journal.signalling import GENTLY, HARD, descendants, is_certain, send

SAYS = "import subprocess, sys, time, signal\n{}\nprint(1, flush=True)\ntime.sleep(300)"


@contextlib.contextmanager
def started(before: str = "") -> Iterator["subprocess.Popen[str]"]:
    """A process that waits, once it does."""
    with subprocess.Popen([sys.executable, "-c", SAYS.format(before)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "1\n"
            yield process
        finally:
            process.kill()


def identity(pid: int) -> ProcessIdentity:
    """What a process would have put on record."""
    (found,) = [each for each in descendants([this_process()]) if each.pid == pid]
    return found


def test_only_who_was_born_then_is_signalled() -> None:
    """Not one that has the same pid, not one whose birth nobody knows, not another machine's."""
    with started() as process:
        recorded = identity(process.pid)
        boot, start, *namespace = (recorded.born or "").split(":")
        others = [
            recorded._replace(born=":".join([boot, str(int(start) + 1), *namespace])),
            recorded._replace(born=":".join([boot[::-1], start, *namespace])),
            recorded._replace(born=None),
            recorded._replace(host="elsewhere"),
            *(recorded._replace(pid=pid) for pid in (1, 1 << 31, (1 << 32) - 1)),
        ]
        for other in others:
            assert not is_certain(other)
            assert not send(other, HARD)
        assert process.poll() is None
        assert send(recorded, GENTLY)
        assert process.wait(30) in (-signal.SIGINT, 1)
        assert not send(recorded, HARD)


def test_who_ignores_ctrl_c_is_told_otherwise() -> None:
    """A script's shell starts what runs in its background so."""
    with started("signal.signal(signal.SIGINT, signal.SIG_IGN)") as process:
        assert send(identity(process.pid), GENTLY)
        assert process.wait(30) == -signal.SIGTERM


def test_what_a_process_has_started_is_found() -> None:
    """And what that has started; not the process itself."""
    child = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'], stdout=subprocess.DEVNULL)"
    with started(child) as process:
        mine = identity(process.pid)
        (below,) = descendants([mine])
        assert (below.host, below.pid == process.pid, below.pid == os.getpid()) == (mine.host, False, False)
        assert send(below, HARD)
        assert send(mine, HARD)
