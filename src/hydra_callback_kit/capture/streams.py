"""What the standard streams of Python and C hold back, given out: it belongs where they lead now."""

import sys
from typing import Any, Final

_C_STREAMS: Final = ("stdout", "__stdoutp")
"""The names of C's stdout in the libraries of Linux and of macOS."""


def flush_streams() -> None:
    """Has Python's and C's streams write what they hold back. Never raises, whatever objects the app has put there."""
    streams: list[Any] = [sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__]
    for stream in {id(stream): stream for stream in streams if stream is not None}.values():
        try:
            stream.flush()
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001, S110  closed, or an object that raises: the app's own, and as without us
            pass
    _flush_c()


def _flush_c() -> None:
    """That of C's stdout alone: another thread may wait for input, and holds the lock of stdin."""
    try:
        import ctypes  # noqa: PLC0415  on Windows nothing is captured
    except ImportError:  # Python can be built without it
        return
    library = ctypes.CDLL(None)
    for name in _C_STREAMS:
        try:
            library.fflush(ctypes.c_void_p.in_dll(library, name))
        except (AttributeError, ValueError):
            continue
        return


def python_writes_elsewhere(number: int) -> bool:
    """Whether what Python prints does not go to the descriptor of its stream, as in a notebook.

    Args:
        number: 1 for stdout, 2 for stderr.
    """
    stream: Any = sys.stdout if number == 1 else sys.stderr
    try:
        return bool(stream.fileno() != number)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  no file, none at all, or an object of the app's
        return True
