"""Numbers of jobs in one word, short where they follow each other: `1.3-5`."""

import bisect
import re
from collections.abc import Iterable, Iterator
from typing import Final

_LARGEST: Final = 1 << 53
"""The journal knows no job of a larger number."""


def joined_numbers(numbers: Iterable[int], separator: str = ".", onwards: int | None = None) -> str:
    """Writes numbers as one word.

    Args:
        numbers: the numbers, in any order.
        separator: what stands between two of them.
        onwards: from where on all numbers are among them; None if they end.

    Returns:
        `1.3-5` for 1, 3, 4 and 5; `1.7-` for 1 and all from 7 on.
    """
    parts = [f"{first}" if first == last else f"{first}-{last}" for first, last in _ranges(numbers)]
    return separator.join(parts if onwards is None else [*parts, f"{onwards}-"])


class JobNumbers:
    """The numbers that a word names.

    Args:
        word: what `joined_numbers` has written.

    Raises:
        ValueError: if it is something else.
    """

    def __init__(self, word: str) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        before = -1
        for part in word.split("."):
            parsed = re.fullmatch(r"([0-9]{1,16})(-([0-9]{1,16})?)?", part)
            if parsed is None:
                raise ValueError(f"{part!r} is no number of a job")
            first = int(parsed[1])
            last = int(parsed[3] or parsed[1]) if parsed[3] or not parsed[2] else _LARGEST
            if not before < first <= last:
                raise ValueError(f"{part!r} is no number of a job, or comes too late")
            self._first.append(first)
            self._last.append(last)
            before = last

    def __contains__(self, number: int) -> bool:
        """Whether a number is among them."""
        place = bisect.bisect_right(self._first, number) - 1
        return place >= 0 and number <= self._last[place]


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for number in sorted(set(numbers)):
        if last is None or first is None:
            first = number
        elif number > last + 1:
            yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last
