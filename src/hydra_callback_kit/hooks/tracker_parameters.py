"""Checks of the parameters that the callbacks of trackers share."""

import os
import re
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from omegaconf import OmegaConf

from hydra_callback_kit.hooks.parameters import ParameterError, no_numbers

MAX_FILE_NAME: Final = 255
"""Bytes that a name on disk may have."""


def filled(parameter: str, given: Any, allowed: str, example: str) -> str | None:
    """Returns a text that may be left out, but not be blank.

    Args:
        parameter: the parameter's name.
        given: a text or a number, or None.
        allowed: what it is, in words.
        example: what is advised.

    Raises:
        ParameterError: if it is blank, or something else.
    """
    if given is None:
        return None
    if isinstance(given, bool) or not _is_text(given) or not str(given).strip():
        raise ParameterError(parameter, _plain(given), allowed, f"Write for example {parameter}={example}, or leave it out.")
    return str(given)


def texts(parameter: str, given: Any, most: int, example: str) -> list[str]:
    """Returns a list of texts; what is null is left out.

    Args:
        parameter: the parameter's name.
        given: a list of texts, numbers and truth values.
        most: how many characters each may have.
        example: what is advised.

    Raises:
        ParameterError: if it is another thing, or a text is empty or too long.
    """
    plain = _plain(given)
    some = [each for each in plain if each is not None] if isinstance(plain, list | tuple) else None
    if some is None or not all(_is_text(each) and 1 <= len(str(each)) <= most for each in some):
        advice = f"Write for example {parameter}=[{example}], or {parameter}=[] for none."
        raise ParameterError(parameter, plain, f"a list of texts of 1 to {most} characters", advice)
    return [str(each) for each in some]


def texts_by_name(parameter: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Returns a mapping from names to texts; what is null is left out.

    Raises:
        ParameterError: if it is another thing.
    """
    plain = _plain(given)
    if not isinstance(plain, Mapping) or not all(text is None or _is_text(text) for text in plain.values()):
        advice = f"Write for example {parameter}={{team: vision}}."
        raise ParameterError(parameter, plain, "a mapping from names to texts", advice)
    return {str(name): str(text) for name, text in plain.items() if text is not None}


def globs(parameter: str, given: Any) -> list[str]:
    """Returns globs in a job's directory.

    Raises:
        ParameterError: if it is no list of them, or one leads out of that directory.
    """
    plain, allowed = _plain(given), "a list of globs in the job's directory"
    no_numbers(parameter, plain, allowed)
    if not isinstance(plain, list | tuple) or not all(_is_text(glob) and _is_glob(glob) for glob in plain):
        advice = f"Write for example {parameter}=[.hydra,'*.log'], ['**'] for all, or [] for none."
        raise ParameterError(parameter, plain, allowed, advice)
    return list(plain)


def below(parameter: str, given: Any, taken: Collection[str]) -> str:
    """Returns a directory in a job's directory.

    Args:
        parameter: the parameter's name.
        given: a relative path.
        taken: what lies in the job's directory by names of its own.

    Raises:
        ParameterError: if it is blank, absolute, leads out of that directory, is taken, or no system has such a name.
    """
    path = Path(str(given))
    is_out = not _is_text(given) or not str(given).strip() or path.is_absolute() or ".." in path.parts
    if is_out or not all(_is_name(part) and part not in taken for part in path.parts):
        advice = f"Write for example {parameter}=tensorboard, or {parameter}=. for the job's directory itself."
        allowed = f"a directory in the job's directory, but {' and '.join(taken)}"
        raise ParameterError(parameter, _plain(given), allowed, advice)
    return str(given)


def seconds(parameter: str, given: Any, usual: int) -> float:
    """Returns how long something is waited for, in seconds.

    Raises:
        ParameterError: if it is no number, or not more than 0.
    """
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or not 0 < given <= threading.TIMEOUT_MAX:
        raise ParameterError(parameter, _plain(given), "a number of seconds above 0", f"Write {parameter}={usual}.")
    return float(given)


def _plain(given: Any) -> Any:
    return OmegaConf.to_container(given) if OmegaConf.is_config(given) else given


def _is_text(given: object) -> bool:
    """Whether it is written as one word; half a character, which no tracker takes, is none."""
    return isinstance(given, str | int | float) and not _HALF.search(str(given))


def _is_glob(pattern: str) -> bool:
    if not pattern.strip() or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        return False
    try:
        next(Path(os.devnull).glob(pattern), None)  # Python's versions do not take the same
    except (ValueError, IndexError, AttributeError, NotImplementedError):
        return False
    return True


def _is_name(part: str) -> bool:
    return "\0" not in part and len(part.encode()) <= MAX_FILE_NAME


_HALF: Final = re.compile("[\ud800-\udfff]")
