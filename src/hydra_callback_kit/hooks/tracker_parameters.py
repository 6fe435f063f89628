"""Checks of the parameters that the callbacks of trackers share."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from hydra_callback_kit.hooks.parameters import ParameterError


def filled(parameter: str, given: str | None, allowed: str, example: str) -> str | None:
    """Returns a text that may be left out, but not be blank.

    Args:
        parameter: the parameter's name.
        given: a text, or None.
        allowed: what it is, in words.
        example: what is advised.

    Raises:
        ParameterError: if it is blank.
    """
    if given is not None and not str(given).strip():
        raise ParameterError(parameter, given, allowed, f"Write for example {parameter}={example}, or leave it out.")
    return None if given is None else str(given)


def texts_by_name(parameter: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Returns a mapping from names to texts; what is null is left out.

    Raises:
        ParameterError: if it is another thing.
    """
    plain: Any = OmegaConf.to_container(given) if OmegaConf.is_config(given) else given
    if not isinstance(plain, Mapping) or any(isinstance(text, (Mapping, list, tuple)) for text in plain.values()):
        advice = f"Write for example {parameter}={{team: vision}}."
        raise ParameterError(parameter, plain, "a mapping from names to texts", advice)
    return {str(name): str(text) for name, text in plain.items() if text is not None}


def globs(parameter: str, given: Sequence[str]) -> list[str]:
    """Returns globs in a job's directory.

    Raises:
        ParameterError: if it is no list of them, or one leads out of that directory.
    """
    patterns = [] if isinstance(given, str) else [str(glob) for glob in given]
    is_out = [not glob.strip() or Path(glob).is_absolute() or ".." in Path(glob).parts for glob in patterns]
    if isinstance(given, str) or any(is_out):
        shown = given if isinstance(given, str) else patterns
        advice = f"Write for example {parameter}=[.hydra,'*.log'], or {parameter}=[] for none."
        raise ParameterError(parameter, shown, "a list of globs in the job's directory", advice)
    return patterns


def below(parameter: str, given: str) -> str:
    """Returns a directory in a job's directory.

    Raises:
        ParameterError: if it is blank, absolute, or leads out of that directory.
    """
    if not str(given).strip() or Path(given).is_absolute() or ".." in Path(given).parts:
        advice = f"Write for example {parameter}=tensorboard, or {parameter}=. for the job's directory itself."
        raise ParameterError(parameter, given, "a directory in the job's directory", advice)
    return str(given)


def seconds(parameter: str, given: float, usual: int) -> float:
    """Returns how long something is waited for, in seconds.

    Raises:
        ParameterError: if it is not more than 0.
    """
    if not 0 < given <= threading.TIMEOUT_MAX:
        raise ParameterError(parameter, given, "a number of seconds above 0", f"Write {parameter}={usual}.")
    return float(given)
