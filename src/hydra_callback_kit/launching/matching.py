"""Which job of a sweep that was started before each job is that the sweeper asks for now, and under which number it goes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple

What = Literal["taken over", "waits", "again"]
"""What becomes of a job that was there before: what it came to counts, it may still come to something, or it runs again."""


class Earlier(NamedTuple):
    """A job of the sweep that was started before.

    Attributes:
        num: its number.
        digest: what was asked of it; None if that is not known.
        what: what becomes of it.
        here: whether it is on record in the directory of the sweep that starts now; else it is taken over from another.
        started: whether it ever was, or waits to be: its number is its own.
    """

    num: int
    digest: bytes | None
    what: What
    here: bool = True
    started: bool = True


class Wish(NamedTuple):
    """A job that the sweeper asks for.

    Attributes:
        digest: what is asked of it; None if that cannot be known.
        again: whether it is run in any case, because nobody can know that it is the same.
    """

    digest: bytes | None
    again: bool = False


class Found(NamedTuple):
    """What a job is that the sweeper asks for.

    Attributes:
        num: the number under which it goes.
        earlier: the job that it was before; None if it is new.
    """

    num: int
    earlier: Earlier | None


_Jobs = dict[tuple[bool, int], Earlier]
"""By where they are and their numbers."""


class Matching:
    """Gives each job that is asked for the earlier one that it is, each only once, and those that are new free numbers.

    Args:
        earlier: the jobs that were there before.
        not_free: numbers that no other job may get, besides those of jobs that were started here.
    """

    def __init__(self, earlier: Iterable[Earlier], not_free: Collection[int] = ()) -> None:
        self._done: dict[bytes, _Jobs] = defaultdict(dict)
        self._left: dict[bytes, _Jobs] = defaultdict(dict)
        self._taken = set(not_free)
        for job in sorted(earlier, key=lambda job: (not job.here, job.num)):
            if job.here and job.started:
                self._taken.add(job.num)
            if job.digest is not None:
                jobs = (self._left if job.what == "again" else self._done)[job.digest]
                jobs[job.here, job.num] = job

    def find(self, asked: Mapping[int, Wish]) -> dict[int, Found]:
        """Says what jobs are.

        Args:
            asked: by the sweeper's numbers.

        Returns:
            The same for each, under different numbers all of them, also those of earlier calls.
        """
        found = self._known(asked)
        new = [num for num in asked if num not in found]
        for num in new:
            if num not in self._taken:
                found[num] = Found(num, None)
                self._taken.add(num)
        free = 0
        for num in new:
            if num not in found:
                while free in self._taken:
                    free += 1
                found[num] = Found(free, None)
                self._taken.add(free)
        return {num: found[num] for num in asked}

    def _known(self, asked: Mapping[int, Wish]) -> dict[int, Found]:
        found: dict[int, Found] = {}
        # what is done counts before what is not, and the job of the same number before another
        for jobs_by_digest in (self._done, self._left):
            for same_number in (True, False):
                for num, wish in asked.items():
                    jobs = None if num in found or wish.digest is None else jobs_by_digest.get(wish.digest)
                    job = jobs and self._one_of(jobs, num, same_number=same_number)
                    if jobs and job:
                        del jobs[job.here, job.num]
                        number = job.num if job.here else num
                        found[num] = Found(number, job._replace(what="again") if _is_again(job, wish) else job)
                        self._taken.add(number)
        return found

    def _one_of(self, jobs: _Jobs, num: int, *, same_number: bool) -> Earlier | None:
        """One of several jobs that are the same but for their numbers."""
        for key in ((True, num), (False, num)) if same_number else jobs:
            job = jobs.get(key)
            if job is not None and ((job.here and job.started) or (job.num if job.here else num) not in self._taken):
                return job
        return None


def _is_again(job: Earlier, wish: Wish) -> bool:
    return wish.again and job.what == "taken over"
