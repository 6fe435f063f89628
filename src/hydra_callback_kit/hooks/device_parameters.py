"""What `device_callback` may be given, checked as it is built."""

import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from hydra_callback_kit.hooks.parameters import ParameterError

MOST_JOBS: Final = 1_000
"""On one device."""
_MOST_CORES: Final = 100_000
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*")
_RANGE: Final = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def devices(given: Any) -> tuple[str, ...] | Literal["auto"] | None:
    """Returns what the variable is set to for each job.

    Args:
        given: `auto`, null, or a list: each a number, a name, or several joined by commas.

    Raises:
        ParameterError: if it is something else, or a device is named twice.
    """
    if given is None:
        return None
    if given == "auto":
        return "auto"
    allowed = 'auto, null, or a list of devices such as [0,1] or, of sets of them, ["0,1","2,3"]'
    if isinstance(given, str | int) or not isinstance(given, Sequence) or not given:
        raise ParameterError("devices", _plain(given), allowed, _as_a_list(given))
    found = [",".join(_words(each, given, allowed)) for each in given]
    _no_two("devices", given, [word for each in found for word in each.split(",")], "device")
    return tuple(found)


def cores(given: Any) -> tuple[tuple[int, ...], ...] | None:
    """Returns sets of CPU cores.

    Args:
        given: null, or a list: each a number, a range such as `0-3`, or several joined by commas.

    Raises:
        ParameterError: if it is something else, a core is in two sets, or this system does not bind processes to cores.
    """
    if given is None:
        return None
    allowed = 'null, or a list of sets of CPU cores such as ["0-3","4-7"]'
    if isinstance(given, str | int) or not isinstance(given, Sequence) or not given:
        raise ParameterError("cores", _plain(given), allowed, 'Write for example cores=["0-3","4-7"].')
    found = tuple(tuple(_numbers(each, given, allowed)) for each in given)
    _no_two("cores", given, [core for each in found for core in each], "core")
    if sys.platform != "linux":
        raise ParameterError(
            "cores", _plain(given), f"null on {sys.platform}, which binds no process to cores", "Leave it out."
        )
    return tuple(tuple(sorted(each)) for each in found)


def variable(given: Any) -> str:
    """Returns the name of an environment variable.

    Raises:
        ParameterError: if it is none.
    """
    if not isinstance(given, str) or _VARIABLE.fullmatch(given) is None:
        raise ParameterError(
            "variable", given, "the name of an environment variable", "Write for example variable=CUDA_VISIBLE_DEVICES."
        )
    return given


def jobs_per_device(given: Any) -> int:
    """Returns how many jobs share a device.

    Raises:
        ParameterError: if it is no whole number from 1 on.
    """
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= MOST_JOBS:
        raise ParameterError(
            "jobs_per_device", given, f"a whole number from 1 to {MOST_JOBS}", "Write jobs_per_device=1, or leave it out."
        )
    return given


def _words(each: Any, given: Any, allowed: str) -> list[str]:
    text = str(each) if isinstance(each, int | str) and not isinstance(each, bool) else ""
    words = [word.strip() for word in text.split(",")]
    if not all(map(_WORD.fullmatch, words)):
        joined = ",".join(map(str, each)) if isinstance(each, Sequence) and not isinstance(each, str) else ""
        advice = f'Write "{joined}" for a set of devices.' if joined else "Write for example devices=[0,1]."
        raise ParameterError("devices", _plain(given), allowed, advice)
    return [str(int(word)) if word.isdecimal() else word for word in words]


def _numbers(each: Any, given: Any, allowed: str) -> list[int]:
    text = str(each) if isinstance(each, int | str) and not isinstance(each, bool) else ""
    numbers: list[int] = []
    for word in text.split(","):
        named = _RANGE.fullmatch(word.strip())
        first, last = (int(named[1]), int(named[2] or named[1])) if named else (1, 0)
        if not first <= last < _MOST_CORES:
            raise ParameterError("cores", _plain(given), allowed, 'Write for example cores=["0-3","4-7"].')
        numbers += range(first, last + 1)
    return numbers


def _no_two(parameter: str, given: Any, named: Iterable[Any], kind: str) -> None:
    seen = set()
    for each in named:
        if each in seen:
            advice = "Drop it once. For several jobs on one device write jobs_per_device=2."
            raise ParameterError(parameter, _plain(given), f"each {kind} once, and {each} is there twice", advice)
        seen.add(each)


def _as_a_list(given: Any) -> str:
    if isinstance(given, int) and not isinstance(given, bool):
        return (
            f"Write devices=[{given}] for that device, or devices=[{','.join(map(str, range(min(given, 8))))}] for so many."
            if given > 0
            else "Write devices=[0]."
        )
    if isinstance(given, str) and given:
        import difflib  # noqa: PLC0415  only who mistyped needs it

        return "Write devices=auto." if difflib.get_close_matches(given.lower(), ["auto"]) else f"Write devices=[{given}]."
    return "Write for example devices=[0,1]."


def _plain(given: Any) -> Any:
    """As people write it: OmegaConf's lists show themselves otherwise."""
    return list(given) if isinstance(given, Sequence) and not isinstance(given, str) else given
