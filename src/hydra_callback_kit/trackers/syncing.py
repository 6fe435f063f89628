"""What sending a run to a tracker afterwards comes to: each of its jobs by itself."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from hydra_callback_kit.journal.records import JobRecord

Outcome: TypeAlias = Literal["made", "updated", "complete", "deleted"]
"""What became of a job; see `Report`."""


class Report(NamedTuple):
    """What was done.

    Attributes:
        place: where it went, in words.
        made: how many runs were made there.
        updated: how many were there and lacked something.
        complete: how many had it all.
        running: how many jobs still run, and send it themselves.
        deleted: how many runs were deleted there, and stay so.
        failed: why a job could not be sent, by its number.
    """

    place: str
    made: int
    updated: int
    complete: int
    running: int
    deleted: int = 0
    failed: Mapping[int, Exception] = MappingProxyType({})


def send_each(place: str, jobs: Iterable[JobRecord], send: Callable[[JobRecord], Outcome]) -> Report:
    """Sends the jobs of a run that do not run any more. One that cannot be sent keeps none of the others from it.

    Args:
        place: where they go, in words.
        jobs: the jobs.
        send: sends one of them.

    Returns:
        What was done.

    Raises:
        ConnectionError: if `send` raises it: then nobody answers any more.
    """
    counts: Counter[str] = Counter()
    failed: dict[int, Exception] = {}
    for job in jobs:
        if job.status == "RUNNING":
            counts["running"] += 1
            continue
        try:
            counts[send(job)] += 1
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001  whatever the library raises
            failed[job.job_num] = error
    return Report(place, counts["made"], counts["updated"], counts["complete"], counts["running"], counts["deleted"], failed)


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
