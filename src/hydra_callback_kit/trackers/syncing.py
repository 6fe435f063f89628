"""What sending a run to a tracker afterwards comes to."""

from typing import NamedTuple


class Report(NamedTuple):
    """What was done.

    Attributes:
        place: where it went, in words.
        made: how many runs were made there.
        updated: how many were there and lacked something.
        complete: how many had it all.
        running: how many jobs still run, and send it themselves.
    """

    place: str
    made: int
    updated: int
    complete: int
    running: int


class NotSaidError(ValueError):
    """Where a run goes has to be said: its record alone is not to be trusted with it.

    Attributes:
        named: the address that the record names.
        settings: what the user's own settings say, in words.
    """

    def __init__(self, named: str, settings: str) -> None:
        super().__init__(f"the record says {named}; {settings}")
        self.named = named
        self.settings = settings
