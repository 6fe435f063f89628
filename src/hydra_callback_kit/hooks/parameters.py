"""Checks of parameters that several callbacks have; they fail as the callback is built, before any job."""

import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from hydra_callback_kit.configs.secret_keys import SecretKeys

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_NOT_OURS_TO_WRITE: Final = frozenset((".hydra", ".callbacks"))
"""What Hydra saves, and the journal: no file of a callback's goes there."""


class ParameterError(ValueError):
    """A callback's parameter has a value that is not allowed.

    Attributes:
        parameter: the parameter's name, as in `hydra.callbacks.<option>.<parameter>`.
        given: what was given.
        allowed: what is allowed, in words.
    """

    def __init__(self, parameter: str, given: object, allowed: str, advice: str) -> None:
        shown = "null" if given is None else "<redacted>" if SecretKeys().hides(parameter, given) else repr(given)
        super().__init__(f"{parameter}={shown} is not valid: allowed is {allowed}. {advice}")
        self.parameter = parameter
        self.given = given
        self.allowed = allowed

    def __reduce__(self) -> tuple[type[ValueError], tuple[str]]:
        """A worker that fails to build a callback sends the message home."""
        return ValueError, (str(self),)


class NotInstalledError(ParameterError):
    """A callback, or what was given for one of its parameters, needs a library that is not installed.

    Args:
        libraries: the libraries that are missing.
        extra: the extra of this package that installs them.
        parameter: the parameter's name; empty if the callback itself needs them.
        given: what was given for it.
    """

    def __init__(self, libraries: Sequence[str], extra: str, parameter: str = "", given: object = None) -> None:
        names = " and ".join(libraries)
        super().__init__(parameter, given, f"what does without {names}", "")
        who = f"{parameter}={given!r}" if parameter else "This callback"
        are = "is" if len(libraries) == 1 else "are"
        self.args = (f"{who} needs {names}, which {are} not installed. Type: pip install 'hydra-callback-kit[{extra}]'",)


def log_level(parameter: str, given: str) -> int:
    """Returns the logging level of a name such as `INFO`.

    Args:
        parameter: the parameter's name.
        given: a level's name, in either case.

    Raises:
        ParameterError: if there is no such level.
    """
    one_of(parameter, str(given).upper(), LEVELS, "INFO")
    return int(getattr(logging, given.upper()))


def one_of(parameter: str, given: str, allowed: Sequence[str], usual: str = "", form: str = "{}") -> str:
    """Returns `given` if it is one of the allowed words.

    Args:
        parameter: the parameter's name.
        given: a word.
        allowed: the words.
        usual: what is advised where no word is similar; empty for the first.
        form: how a word is written that is advised: `[{}]` for one of a list.

    Raises:
        ParameterError: if it is not; the advice names a similar word, if there is one.
    """
    if given in allowed:
        return given
    import difflib  # noqa: PLC0415  only who mistyped needs it

    by_letters = {word.casefold(): word for word in allowed}
    nearest = difflib.get_close_matches(str(given).casefold(), by_letters, n=1)
    advised = form.format(by_letters[nearest[0]] if nearest else usual or allowed[0])
    advice = f"Write {'' if nearest else 'for example '}{parameter}={advised}."
    raise ParameterError(parameter, given, ", ".join(allowed[:-1]) + f" or {allowed[-1]}", advice)


def no_numbers(parameter: str, given: object, allowed: str) -> None:
    """Looks whether a list of texts has a number or a truth value in it, which was hardly meant for a file's name.

    Args:
        parameter: the parameter's name.
        given: the list; anything else passes.
        allowed: what is allowed, in words.

    Raises:
        ParameterError: if there is one; the advice is how it is written as a text.
    """
    for each in given if isinstance(given, list | tuple) else ():
        if isinstance(each, bool | int | float):
            raise ParameterError(parameter, given, allowed, f"{each!r} is no text. For a file of this name write '{each}'.")


def direction(parameter: str, given: str | None) -> Literal["max", "min"] | None:
    """Returns which value of a metric is the best; None where that is left open.

    Raises:
        ParameterError: if it is another word.
    """
    if given is None:
        return None
    return "min" if one_of(parameter, given, ("max", "min")) == "min" else "max"


def size_in_bytes(parameter: str, given: float | str) -> int:
    """Returns a number of bytes.

    Args:
        parameter: the parameter's name.
        given: a number of bytes, or a text with a unit such as `10GB` (decimal) or `500 MiB` (binary), in either case.

    Raises:
        ParameterError: if it is negative, or no size.
    """
    size = re.fullmatch(_SIZE, str(given).strip())
    if isinstance(given, bool) or size is None:
        raise ParameterError(
            parameter,
            given,
            "a number of bytes, or one with a unit: kB, MB, GB, TB, KiB, MiB, GiB or TiB",
            f"Write {parameter}=10GB.",
        )
    unit = (size[2] or "").lower()
    factor = (1024 if "i" in unit else 1000) ** "bkmgt".index(unit[:1] or "b")
    number = size[1].replace("_", "")
    return int(number) * factor if number.isdigit() else int(float(number) * factor)


_SIZE: Final = r"(?i)([0-9][0-9_]*(?:\.[0-9]+)?(?:e\+?[0-9]+)?)\s*((?:[kmgt]i?)?b)?"


def output_file(parameter: str, given: str) -> str:
    """Returns the name of a file to write, relative to the run's root or absolute.

    Raises:
        ParameterError: if no file can be written there.
    """
    if not str(given).strip() or given.endswith(("/", os.sep)) or Path(given).name in ("", ".."):
        raise ParameterError(parameter, given, "a file's name", f"Write for example {parameter}=result.json.")
    path = Path(given)
    if path.parts[0] in _NOT_OURS_TO_WRITE:
        advice = f"Write for example {parameter}={path.name}."
        raise ParameterError(parameter, given, f"a file that is not in {path.parts[0]}", advice)
    if path.is_absolute():
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ParameterError(parameter, given, "a file's name", "It is a device or a pipe: write another file's name.")
        if path.is_dir():
            raise ParameterError(
                parameter, given, "a file's name", f"It is a directory: write {parameter}={path / 'x.json'}."
            )
        if not os.access(path.parent, os.W_OK):
            raise ParameterError(
                parameter,
                given,
                "a name relative to the run's root, or an absolute path in a directory that exists and can be written to",
                f"Make the directory {path.parent}, or write {parameter}={path.name}.",
            )
    return given
