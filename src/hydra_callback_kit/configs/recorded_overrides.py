"""Overrides that stand on record, which may be anybody's: reading them ends, and fails in one way."""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, RangeSweep
from hydra.errors import HydraException

from hydra_callback_kit.journal.masking import quoted_marks

MAX_READ: Final = 1 << 17
"""Characters of an override that is read, which no argument of a command exceeds on Linux."""


def read_override(text: str) -> Override:
    """Reads one override.

    Raises:
        HydraException: if Hydra cannot read it, for whatever reason.
    """
    if len(text) > MAX_READ:
        raise HydraException(f"{text[:100]}… has more than {MAX_READ} characters")
    try:
        return OverridesParser.create().parse_override(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, hundreds of brackets
        raise HydraException(f"{text[:100]} cannot be read: {error}") from error


def count_of_jobs(overrides: Sequence[str], most: int) -> int:
    """Counts the jobs that the basic sweeper makes of overrides, without making them.

    Args:
        overrides: those of a `Plan`, as they were recorded.
        most: how many jobs may be counted.

    Returns:
        The count, or any number above `most` where there are more.

    Raises:
        HydraException: if Hydra cannot read one of the overrides, or tell its values.
    """
    counts: dict[str, int] = {}
    for text in overrides:
        override = read_override(quoted_marks(text))
        try:
            counts[override.get_key_element()] = sum(1 for _ in itertools.islice(_values(override), most + 1))
        except (ValueError, ArithmeticError) as error:  # a range of no step, or to NaN
            raise HydraException(f"{text[:100]} cannot be read: {error}") from error
        if math.prod(counts.values()) > most:
            break
    return math.prod(counts.values())


def _values(override: Override) -> Iterable[Any]:
    if not override.is_sweep_override():
        return (None,)
    swept: Any = override.value()
    # a range that is shuffled is made whole before its first value is known
    return swept.range() if isinstance(swept, RangeSweep) else override.sweep_string_iterator()
