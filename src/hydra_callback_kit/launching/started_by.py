"""What the processes of a run have started, and Ctrl-C on a terminal would reach: it is ended with them."""

import contextlib
import os
import time
from collections.abc import Callable, Collection
from typing import Final

from hydra_callback_kit.journal.process import ProcessIdentity, is_alive
from hydra_callback_kit.journal.signalling import GENTLY, HARD, LOOKS_EVERY_S, descendants, is_certain, send

_LEAVES_WITHIN_S: Final = 2.0
"""How long what has lost its parent may take to leave by itself, as most do."""


class StartedBy:
    """The processes that those of a run have started, in their own sessions: what has one of its own means to stay."""

    def __init__(self) -> None:
        self._owners: set[ProcessIdentity] = set()
        self._started: set[ProcessIdentity] = set()

    def note(self, owners: Collection[ProcessIdentity]) -> None:
        """Looks what there is.

        Args:
            owners: the run's processes that live here.
        """
        sessions = {_session(owner) for owner in owners}
        self._owners.update(owners)
        self._started.update(child for child in descendants(owners) if _session(child) in sessions)

    def end(self, say: Callable[[str], None], until_s: float) -> None:
        """Ends what is left of them, gently and then hard; nothing where one of the run's processes goes on.

        Args:
            say: is told what is done.
            until_s: when it is killed, by the monotonic clock.
        """
        self._wait(min(until_s, time.monotonic() + _LEAVES_WITHIN_S))
        for number, word in ((GENTLY, "Interrupted"), (HARD, "Killed")):
            told = [process for process in self._left() if _sent(process, number)]
            if told:
                pids = ", ".join(str(process.pid) for process in told)
                say(f"{word}: what they had started (process{'es' if len(told) > 1 else ''} {pids}).")
                self._wait(until_s)

    def _left(self) -> list[ProcessIdentity]:
        return [] if any(map(is_alive, self._owners)) else sorted(filter(is_certain, self._started - self._owners))

    def _wait(self, until_s: float) -> None:
        while self._left() and time.monotonic() < until_s:
            time.sleep(LOOKS_EVERY_S)


def _sent(process: ProcessIdentity, number: int) -> bool:
    with contextlib.suppress(PermissionError):  # another user's
        return send(process, number)
    return False


def _session(process: ProcessIdentity) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:  # it is gone
        return None
