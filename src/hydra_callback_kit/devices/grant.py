"""What a process says of the place that it has: to the processes that it starts, and to the other ranks of its job."""

import json
import os
from typing import Final, NamedTuple

from hydra_callback_kit.devices.place import Place
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive, this_process

GRANT_VARIABLE: Final = "HYDRA_CALLBACK_KIT_DEVICE"
"""What a process that has a place exports to those that it starts."""


class Grant(NamedTuple):
    """A place that others may use along with the process that has it.

    Attributes:
        holder: the process.
        variable: the variable that says which devices a process sees.
        says: what it said before.
        place: the place; None as long as the process waits for one.
    """

    holder: ProcessIdentity
    variable: str
    says: str | None
    place: Place | None

    def as_text(self) -> str:
        """One line of JSON."""
        return json.dumps(self)

    def holds(self) -> bool:
        """Whether the process is still there; in another container it may be."""
        alive = is_alive(self.holder)
        return alive or (alive is None and self.holder.host == this_process().host)


def grant_in(text: str) -> Grant | None:
    """Reads what a process says; None if that is nothing of the kind."""
    try:
        (host, pid, born), variable, says, place = json.loads(text)
        holder = ProcessIdentity(str(host), int(pid), None if born is None else str(born))
        if place is None:
            return Grant(holder, str(variable), says, None)
        device, value, cores, keys = place
        taken = Place(device, value, None if cores is None else tuple(map(int, cores)), tuple(map(str, keys)))
        return Grant(holder, str(variable), says, taken)
    except (ValueError, TypeError, RecursionError):
        return None


def inherited() -> Grant | None:
    """What a process that has started this one, and is still there, has; None if none has."""
    grant = grant_in(os.environ.get(GRANT_VARIABLE, "null"))
    if grant is None or grant.place is None or grant.holder.pid == os.getpid() or not grant.holds():
        return None
    return grant
