"""One job that cannot be sent keeps no other from it."""

from collections.abc import Sequence

import pytest

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.trackers.batches import MAX_REFUSED, send_in_batches
from hydra_callback_kit.trackers.syncing import Outcome, send_each

JOBS = [JobRecord(num, "RUNNING" if num == 3 else "COMPLETED") for num in range(6)]


def test_each_job_is_sent_by_itself() -> None:
    """Those behind one that fails, too; one that runs is left alone."""
    outcomes: dict[int, Outcome] = {0: "made", 2: "updated", 4: "complete", 5: "deleted"}
    done = send_each("there", JOBS, lambda job: outcomes[job.job_num])
    assert done[:-1] == ("there", 1, 1, 1, 1, 1)
    assert {num: type(error) for num, error in done.failed.items()} == {1: KeyError}


def test_nobody_answers_any_more() -> None:
    """The others are not tried."""
    asked: list[int] = []

    def send(job: JobRecord) -> Outcome:
        asked.append(job.job_num)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        send_each("there", JOBS, send)
    assert asked == [0]


class Picky:
    """Refuses batches that have something wrong in them."""

    def __init__(self, *wrong: int) -> None:
        self.wrong = wrong
        self.taken: list[int] = []

    def send(self, some: Sequence[int]) -> None:
        """Takes all or nothing."""
        if set(some) & set(self.wrong):
            raise ValueError(f"{sorted(set(some) & set(self.wrong))}")
        self.taken += some


@pytest.mark.parametrize("wrong", [(), (0,), (5,), (99,), (3, 4, 50)])
def test_one_wrong_item_costs_no_other(wrong: tuple[int, ...]) -> None:
    """Each that is right is sent once, in its order."""
    picky = Picky(*wrong)
    refused = send_in_batches(range(100), 20, picky.send, lambda error: isinstance(error, ValueError))
    assert picky.taken == [item for item in range(100) if item not in wrong]
    assert (None if refused is None else str(refused)) == (f"[{wrong[0]}]" if wrong else None)


def test_what_refuses_everything_is_not_asked_for_long() -> None:
    """A run that was deleted, say; and what is no refusal is raised at once."""
    asked = 0

    def send(some: Sequence[int]) -> None:
        nonlocal asked
        asked += 1
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        send_in_batches(range(10_000), 800, send, lambda error: True)
    assert asked < 5 * MAX_REFUSED
    asked = 0
    with pytest.raises(ValueError, match="no"):
        send_in_batches(range(10_000), 800, send, lambda error: False)
    assert asked == 1
