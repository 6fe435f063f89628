"""Ends a run that is about to start without a terminal: its process is known, and nothing of it is on record yet."""

import time
from collections.abc import Callable

from hydra_callback_kit.journal.process import ProcessIdentity, is_alive
from hydra_callback_kit.journal.signalling import (
    GENTLY,
    HARD,
    HARD_WITHIN_S,
    LOOKS_EVERY_S,
    descendants,
    is_certain,
    is_gone_by,
    send,
)


def stop_starting(process: ProcessIdentity, say: Callable[[str], None], after_s: float) -> None:
    """Ends it gently, and then hard, and waits for that.

    Args:
        process: what has the run for a child, and ends when that does.
        say: is told what is done.
        after_s: how long after the gentle signal the hard one comes, in seconds.
    """
    if not is_certain(process):
        return
    hard_s = time.monotonic() + after_s
    told: list[ProcessIdentity] = []
    while is_alive(process) and time.monotonic() < hard_s:
        if not told:  # it has no child yet in its first moments
            told = [child for child in descendants([process]) if send(child, GENTLY)]
            if told:
                say(f"Interrupted: what was about to start the run (process {told[0].pid}).")
        time.sleep(LOOKS_EVERY_S)
    if not is_alive(process):
        return
    for each in (*descendants([process]), process):
        send(each, HARD)
    say(f"Killed: what was about to start the run (process {process.pid}).")
    is_gone_by(process, time.monotonic() + HARD_WITHIN_S)
