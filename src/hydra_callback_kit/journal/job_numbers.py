"""Numbers of jobs in one word, short where they follow each other: `1.3-5`."""

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


def split_numbers(word: str) -> list[range]:
    """Reads what `joined_numbers` has written.

    Raises:
        ValueError: if it is something else.
    """
    found = []
    for part in word.split("."):
        parsed = re.fullmatch(r"([0-9]{1,16})(-([0-9]{1,16})?)?", part)
        first, last = (
            (0, -1) if parsed is None else (int(parsed[1]), int(parsed[3] or (_LARGEST - 1 if parsed[2] else parsed[1])))
        )
        if not first <= last < _LARGEST:
            raise ValueError(f"{part!r} is no number of a job")
        found.append(range(first, last + 1))
    return found


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
