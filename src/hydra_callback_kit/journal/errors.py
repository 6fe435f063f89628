"""An exception as it goes on record: its type, its message, and its traceback from the app's own code on."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.values import type_name

MAX_TEXT: Final = 9_000
"""Characters that are kept of an error's message and of its traceback: the first and the last half of them."""


NOT_LET_START: Final = ("hydra_callback_kit.AbortRun", "hydra_callback_kit.SweepTimeoutError")
"""What a job is recorded to have failed by that a callback did not let start: its task function was never called."""


class JobError(NamedTuple):
    """Why a job failed.

    Attributes:
        type: the exception's class, with its module unless it is a builtin.
        message: the exception's text.
        traceback: the formatted traceback, from the app's own code on.
        bases: the classes that the exception's class comes from, the nearest first, named as it is; empty where that is not
            known.
    """

    type: str
    message: str
    traceback: str
    bases: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of all classes that the exception is an instance of, but for `object`, its own first."""
        return (self.type, *self.bases)

    @property
    def headline(self) -> str:
        """The type and the first line of the message; one that announces the next line has it with it."""
        first_line, _, rest = self.message.partition("\n")
        next_line = rest.strip().partition("\n")[0]
        if first_line.rstrip().endswith(":") and next_line:
            first_line = f"{first_line.rstrip()} {next_line}"
        return ": ".join(filter(None, (self.type, first_line)))


def error_of(exception: BaseException, hide: Callable[[str], str] = str) -> JobError:
    """Describes an exception.

    Args:
        exception: what was raised.
        hide: takes the secrets out of a text, before it is cut.

    Returns:
        Its type, message and traceback, that without Hydra's own first frames.
    """
    kind = type_name(type(exception))
    message = message_of(exception)
    text = _text(
        lambda: "".join(traceback.format_exception(type(exception), exception, _own_frames(exception.__traceback__)))
    )
    return JobError(kind, _cut(hide(message)), _cut(hide(text or f"{kind}: {message}\n")), kinds_of(exception)[1:])


def kinds_of(exception: BaseException) -> tuple[str, ...]:
    """The names of the classes that an exception is an instance of, but for `object`, its own first."""
    return tuple(map(type_name, type.__dict__["__mro__"].__get__(type(exception))[:-1]))  # a metaclass may say anything


def message_of(exception: BaseException) -> str:
    """The text of an exception; empty where its own methods fail."""
    return _text(lambda: str(exception))


def can_be_formatted(exception: BaseException) -> bool:
    """Whether Python can make a traceback of an exception: its own methods, notes and causes may be anything."""
    return bool(_text(lambda: "".join(traceback.format_exception(type(exception), exception, exception.__traceback__))))


def _text(made: Callable[[], str]) -> str:
    """A text that is made of an exception; empty where its own methods, or those of what it comes from, fail."""
    try:
        return str(made())
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  they may raise anything, SystemExit too
        return ""


def _own_frames(frames: Any) -> Any:
    """Skips the frames above the task function, which are the same in every traceback."""
    while frames is not None and frames.tb_next is not None and _calls_it(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames


def _calls_it(file: str) -> bool:
    return Path(file).parts[-3:] in (("hydra", "core", "utils.py"), ("hydra_callback_kit", "launching", "limited.py"))


def _cut(text: str) -> str:
    half = MAX_TEXT // 2
    return (
        text if len(text) <= MAX_TEXT else f"{text[:half]}\n[... {len(text) - 2 * half} characters cut ...]\n{text[-half:]}"
    )
