"""Which jobs of a launch are started again, how, and which are given up: from what became of them, and nothing else."""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from hydra_callback_kit.journal.kinds import is_one_of
from hydra_callback_kit.launching.lost import Became
from hydra_callback_kit.launching.retry_rule import ENDS, is_worth_it

_ALONE: Final = 2
"""When a job is started alone whose value was lost: how often it was. Lost once more it was not by another job."""


class Tries(NamedTuple):
    """What became of a job so far.

    Attributes:
        failures: how often it failed, or killed its own worker.
        lost: how often it was lost with others, and may have been what ended them.
        valueless: how often it has completed, and its value was lost.
    """

    failures: int = 0
    lost: int = 0
    valueless: int = 0


class RetryPlan(NamedTuple):
    """What is to be done.

    Attributes:
        tries: what became so far of each job that has failed or was killed.
        together: the numbers of the jobs that are started again, in one launch.
        alone: of those that are started again each in a launch of its own.
        given_up: of those that are not started again.
        over: whether a job was ended by Ctrl-C or by `abort`: then none is started again.
    """

    tries: dict[int, Tries]
    together: frozenset[int] = frozenset()
    alone: frozenset[int] = frozenset()
    given_up: frozenset[int] = frozenset()
    over: bool = False

    @property
    def again(self) -> frozenset[int]:
        """All that are started again."""
        return self.together | self.alone


def retry_plan(
    became: Became, before: Mapping[int, Tries], retries: int, errors: Collection[str], said: Collection[int] = ()
) -> RetryPlan:
    """Plans what is done after a launch.

    A job that fails is started again as often as `retries` says. So is one that is killed. Where a pool breaks, all jobs
    that ran in it are killed, and it is not known by which: they are started again together at first. One that was lost
    twice, or whose next attempt is its last if it was the one, is started alone. So no job costs another its attempts. One
    that has completed, but whose value was lost, is started again with the others, and the next time alone.

    Args:
        became: what became of the jobs.
        before: what became of them before.
        retries: how often a job is started again.
        errors: the names of what is worth it; empty for anything.
        said: the numbers of the jobs of which the launcher itself has said that they are gone: they had a process each.

    Returns:
        A plan that comes to an end: each launch in which a job has started leaves fewer attempts. Where none has started the
        fault is not theirs, and nothing is done.
    """
    if any(is_one_of(error.kinds, ENDS) for error in became.failed.values()):
        return RetryPlan(dict(before), over=True)
    if not (became.done or became.valueless or became.failed or became.killed):
        return RetryPlan(dict(before))
    tries = dict(before)
    together: set[int] = set(became.unstarted)
    alone: set[int] = set()
    given_up: set[int] = set()
    for num, error in became.failed.items():
        earlier = before.get(num, Tries())
        tries[num] = earlier._replace(failures=earlier.failures + 1)
        worth_it = tries[num].failures <= retries and is_worth_it(error.kinds, errors)
        (together if worth_it else given_up).add(num)
    for num in became.valueless:
        earlier = before.get(num, Tries())
        tries[num] = now = earlier._replace(valueless=earlier.valueless + 1)
        (together if now.valueless == 1 else alone if now.valueless == _ALONE else given_up).add(num)
    suspects = became.killed.difference(said)
    for num in became.killed:
        earlier = before.get(num, Tries())
        if num in suspects and len(suspects) > 1:
            tries[num] = now = earlier._replace(lost=earlier.lost + 1)
            (alone if now.lost > 1 or now.failures + now.lost >= retries else together).add(num)
            continue
        tries[num] = now = earlier._replace(failures=earlier.failures + earlier.lost + 1, lost=0)
        (given_up if now.failures > retries else alone if num in suspects else together).add(num)
    return RetryPlan(tries, frozenset(together), frozenset(alone), frozenset(given_up))
