"""Logging that never raises: what looks after the job must not fail because a log handler does.

Each handler is given the message by itself. One that raises, or whose stream is closed (as in a test session, a notebook
or a daemon), keeps the message from no other, and the message goes to stderr instead. No message holds a known secret.
"""

import contextlib
import errno
import logging
import os
import sys
from typing import Any, Final

from hydra_callback_kit.journal.masking import knows_secrets, without_known_secrets

_FORMAT: Final = logging.Formatter("[%(name)s][%(levelname)s] - %(message)s")


class SafeLogger:
    """Logs under a name of Python's `logging`.

    Args:
        name: the logger's name; its levels, filters and handlers decide what becomes of a message.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def debug(self, message: str, *values: object, exc_info: BaseException | None = None) -> None:
        """Logs at `DEBUG`."""
        self._log(logging.DEBUG, message, values, exc_info)

    def info(self, message: str, *values: object) -> None:
        """Logs at `INFO`."""
        self._log(logging.INFO, message, values, None)

    def warning(self, message: str, *values: object) -> None:
        """Logs at `WARNING`."""
        self._log(logging.WARNING, message, values, None)

    def caution(self, message: str, *values: object) -> None:
        """Logs at `WARNING`, and says so in words where a console that shows it does not show the level, as Hydra's own."""
        shown = any("levelname" in str(getattr(handler.formatter, "_fmt", "")) for handler in logging.getLogger().handlers)
        self._log(logging.WARNING, message if shown else f"Warning: {message}", values, None)

    def error(self, message: str, *values: object, exc_info: BaseException | None = None) -> None:
        """Logs at `ERROR`."""
        self._log(logging.ERROR, message, values, exc_info)

    def log(self, level: int, message: str, *values: object) -> None:
        """Logs at a level."""
        self._log(level, message, values, None)

    def log_to(self, handlers: list[logging.Handler], level: int, message: str) -> None:
        """Gives a message to some handlers alone."""
        record = _without_secrets(logging.getLogger(self.name).makeRecord(self.name, level, __file__, 0, message, (), None))
        for handler in handlers:
            if level >= handler.level:
                _give(handler, record)

    def _log(self, level: int, message: str, values: tuple[object, ...], error: BaseException | None) -> None:
        logger = logging.getLogger(self.name)
        if not logger.isEnabledFor(level):
            return
        exc_info: Any = None if error is None else (type(error), error, error.__traceback__)
        with contextlib.suppress(Exception):
            file, line, function, _ = logger.findCaller(stacklevel=3)
            record = _without_secrets(logger.makeRecord(self.name, level, file, line, message, values, exc_info, function))
            kept: Any = logger.filter(record)
            if kept:
                record = kept if isinstance(kept, logging.LogRecord) else record  # since Python 3.12 a filter may change it
                for handler in _handlers_of(logger) or [logging.lastResort or logging.NullHandler()]:
                    if level >= handler.level:
                        _give(handler, record)


def _without_secrets(record: logging.LogRecord) -> logging.LogRecord:
    """Whatever a message is made of: an error's text, a traceback of somebody else's code."""
    message = record.getMessage()
    hidden = without_known_secrets(message)
    if hidden != message:
        record.msg, record.args = hidden, ()
    if record.exc_info and knows_secrets():
        text = logging.Formatter().formatException(record.exc_info)
        hidden = without_known_secrets(text)
        if hidden != text:
            record.exc_info, record.exc_text = None, hidden
    return record


def _handlers_of(logger: logging.Logger) -> list[logging.Handler]:
    """As `Logger.callHandlers` finds them."""
    handlers: list[logging.Handler] = []
    at: logging.Logger | None = logger
    while at is not None:
        handlers += at.handlers
        at = at.parent if at.propagate else None
    return handlers


def _give(handler: logging.Handler, record: logging.LogRecord) -> None:
    if _is_open(getattr(handler, "stream", None)):
        with contextlib.suppress(Exception):  # whatever the handler is, the message still has somewhere to go
            handler.handle(record)
            return
    elif isinstance(handler, logging.FileHandler):
        return  # closed on purpose: the job whose log it was is over
    with contextlib.suppress(Exception):
        if sys.stderr is not None and _is_open(sys.stderr):
            sys.stderr.write(f"{_FORMAT.format(record)}\n")


def _is_open(stream: Any) -> bool:
    """Whether a stream takes text: what is written to a closed descriptor would make the process's exit code 120."""
    if getattr(stream, "closed", False):
        return False
    try:
        os.fstat(stream.fileno())
    except (AttributeError, ValueError):  # no file
        return True
    except OSError as error:
        return error.errno != errno.EBADF
    return True
