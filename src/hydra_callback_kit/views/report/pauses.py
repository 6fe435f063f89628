"""The long times in which nothing ran, as before a sweep that is gone on with the next day: the timeline folds them."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from hydra_callback_kit.views import wording

LEAST_S: Final = 60
"""Nobody has waited for less."""


def pauses_of(changes: Sequence[tuple[float, int]], now_s: float) -> list[tuple[float, float]]:
    """Finds the pauses that would leave the jobs little room.

    Args:
        changes: times in their order, and how many jobs ran from then on; infinite for the end of a job that runs.
        now_s: when jobs that still run are looked at; the same clock.

    Returns:
        From when to when each lasted: those longer than half of the time in which jobs ran, and than `LEAST_S`.
    """
    known = [(time if time < math.inf else max(now_s, changes[0][0]), running) for time, running in changes]
    idle = [(begin, end) for (begin, running), (end, _) in pairwise(known) if running == 0 and end > begin]
    busy = known[-1][0] - known[0][0] - sum(end - begin for begin, end in idle)
    return [(begin, end) for begin, end in idle if busy > 0 and end - begin > max(busy / 2, LEAST_S)] if known else []


def pauses_in_words(pauses: Sequence[tuple[float, float]], *, sure: bool = True) -> str:
    """What the page says of them; empty if there are none.

    Args:
        pauses: as from `pauses_of`.
        sure: whether nothing can have run in them.
    """
    if not pauses:
        return ""
    took = " and ".join(wording.duration(end - begin) for begin, end in pauses[:3])
    if len(pauses) > 3:  # noqa: PLR2004  the rest of them adds nothing
        took = f"{wording.duration(sum(end - begin for begin, end in pauses))} in all"
    where = "at the dashed line" if len(pauses) == 1 else f"at each of the {len(pauses)} dashed lines"
    nothing = "Nothing ran" if sure else "Nothing is known to have run"
    return f"{nothing} for {took} {where}: that time is folded, and what is marked + counts from when it went on."
