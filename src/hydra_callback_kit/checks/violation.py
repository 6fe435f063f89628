"""One thing that is wrong with a config."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

ABSENT: Final = object()
"""The value of a violation where there is none to show: the key is missing."""


class Violation(NamedTuple):
    """One thing that is wrong with a config.

    Attributes:
        key: the full dotted key; empty for the config as a whole.
        problem: what is wrong, without the value.
        value: the value at the key, as plain Python; `ABSENT` if there is none.
    """

    key: str
    problem: str
    value: Any = ABSENT


def dotted(path: Iterable[str | int]) -> str:
    """Joins keys and list indices as the command line writes them."""
    return ".".join(map(str, path))


def first_line(error: BaseException) -> str:
    """What an error says first; OmegaConf's errors go on with its own view of the config."""
    return str(error).strip().partition("\n")[0]
