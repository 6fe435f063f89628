"""The numbers of jobs that do not follow each other, for launchers that count from a first one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Numbers(int):
    """Stands for the number of a batch's first job: a place in the batch, added to it, makes the number of the job there.

    Launchers number a job by `initial_job_idx + place`. So each job of a batch that lacks some keeps its own number, and the
    launcher starts them all at once.
    """

    _numbers: tuple[int, ...]

    def __new__(cls, numbers: Iterable[int]) -> "Self":
        """Stands for these numbers, of which there is at least one."""
        all_of_them = tuple(numbers)
        self = super().__new__(cls, all_of_them[0])
        self._numbers = all_of_them
        return self

    def __add__(self, place: int) -> int:
        """The number of the job at a place."""
        return self._numbers[place]

    __radd__ = __add__
