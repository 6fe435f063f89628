"""Logging that never raises: what looks after the job must not fail because a log handler does.

What a message holds of others has its control characters spelled out.

Each handler is given the message by itself. One that raises, whatever it raises, or whose stream is closed (as in a test
session, a notebook or a daemon), keeps the message from no other, and the message goes to stderr instead. No message holds a
known secret.
"""

import errno
import io
import logging
import os
import sys
from typing import Any, Final

from hydra_callback_kit.journal.errors import can_be_formatted, error_of
from hydra_callback_kit.journal.masking import knows_secrets, without_known_secrets
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.rank import is_worker

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
        shown = False
        with _Unharmed():
            shown = any(
                "levelname" in str(getattr(handler.formatter, "_fmt", "")) for handler in logging.getLogger().handlers
            )
        self._log(logging.WARNING, message if shown else f"Warning: {message}", values, None)

    def error(self, message: str, *values: object, exc_info: BaseException | None = None) -> None:
        """Logs at `ERROR`."""
        self._log(logging.ERROR, message, values, exc_info)

    def log(self, level: int, message: str, *values: object) -> None:
        """Logs at a level."""
        self._log(level, message, values, None)

    def log_to(self, handlers: list[logging.Handler], level: int, message: str) -> None:
        """Gives a message to some handlers alone."""
        with _Unharmed():
            record = logging.getLogger(self.name).makeRecord(self.name, level, __file__, 0, message, (), None)
            record = _fit_to_be_seen(record)
            for handler in handlers:
                _give(handler, record)

    def _log(self, level: int, message: str, values: tuple[object, ...], error: BaseException | None) -> None:
        with _Unharmed():
            logger = logging.getLogger(self.name)
            if not logger.isEnabledFor(level) or (level < logging.ERROR and is_worker()):
                return  # a rank says only what went wrong there
            if error is not None and not can_be_formatted(error):
                message, values, error = f"{message} (%s)", (*values, error_of(error).headline), None
            exc_info: Any = None if error is None else (type(error), error, error.__traceback__)
            said = sys._getframe(2)  # noqa: SLF001  `Logger.findCaller` counts otherwise on Python 3.10
            at, function = (said.f_code.co_filename, said.f_lineno), said.f_code.co_name
            record = _fit_to_be_seen(logger.makeRecord(self.name, level, *at, message, values, exc_info, function))
            kept: Any = logger.filter(record)
            if kept:
                record = kept if isinstance(kept, logging.LogRecord) else record  # since Python 3.12 a filter may change it
                handlers = _handlers_of(logger)
                for handler in handlers:
                    _give(handler, record)
                if not handlers and logging.lastResort is not None and level >= logging.lastResort.level:
                    to_stderr(_FORMAT.format(record))  # Python's own would not say whose word it is


class _Unharmed:
    """Goes on after whatever a handler or a stream raises, `SystemExit` too; Ctrl-C passes."""

    def __enter__(self) -> None:
        """Nothing is to be done."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        """Tells whether Python goes on."""
        return kind is not None and not issubclass(kind, KeyboardInterrupt)


def _fit_to_be_seen(record: logging.LogRecord) -> logging.LogRecord:
    """Whatever a message is made of: an error's text, a traceback of somebody else's code, a text of another's journal."""
    message = record.getMessage()
    shown = printable(without_known_secrets(message))
    if shown != message:
        record.msg, record.args = shown, ()
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
    with _Unharmed():
        if record.levelno < handler.level:
            return
        if takes_text(getattr(handler, "stream", None), is_a_file=isinstance(handler, logging.FileHandler)):
            handler.handle(record)
            return
        if isinstance(handler, logging.FileHandler):
            return  # closed on purpose: the job whose log it was is over
    with _Unharmed():  # whatever the handler is, the message still has somewhere to go
        to_stderr(_FORMAT.format(record))


def to_stderr(text: str) -> None:
    """Writes a line to stderr, if it takes one. Never raises, Ctrl-C excepted.

    No lock of the stream's is held meanwhile: a child that another thread forks in this moment could never write to it.

    Args:
        text: without a line feed at its end.
    """
    stream: Any = sys.stderr
    with _Unharmed():
        if stream is None or not takes_text(stream):
            return
        if type(stream) is io.TextIOWrapper:
            os.write(stream.fileno(), f"{text}\n".encode(stream.encoding, "backslashreplace"))
        else:
            stream.write(f"{text}\n")


def takes_text(stream: Any, *, is_a_file: bool = False) -> bool:
    """Whether a stream is open, and still what it was: a file that the app has opened may have got the number of stdout.

    What is written to a closed descriptor would make the process's exit code 120.

    Args:
        stream: any object, also one that is no stream.
        is_a_file: whether it is known to be no standard stream: where one is closed, a log file may have its number.
    """
    with _Unharmed():
        if getattr(stream, "closed", False):
            return False
        descriptor = stream.fileno()
        try:
            inherited = os.get_inheritable(descriptor)
        except OSError as error:
            return error.errno != errno.EBADF
        # Python's own files are not inherited by other programs; what a process was started with, or `dup2` put there, is
        return is_a_file or inherited or descriptor > _STDERR or os.name != "posix"
    return True  # no file


_STDERR: Final = 2
