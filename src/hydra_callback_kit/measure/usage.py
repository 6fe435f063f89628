"""What the calling process has used so far: CPU time, memory and I/O, as the operating system counts them."""

import os
import sys
from pathlib import Path


def cpu_seconds(*, ended_children: bool = True) -> float:
    """CPU time of this process, and of its children that have ended, in seconds.

    Args:
        ended_children: whether the children count; on Windows they do not, which tells nothing of them.
    """
    times = os.times()
    if sys.platform == "win32":
        return times.user + times.system
    import resource  # noqa: PLC0415  not on Windows

    own = resource.getrusage(resource.RUSAGE_SELF)
    own_s = own.ru_utime + own.ru_stime
    if not ended_children:
        return own_s
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own_s + children.ru_utime + children.ru_stime


def peak_rss_bytes() -> int | None:
    """The most resident memory this process, or one of its children that have ended, ever held, in bytes.

    Returns:
        None on Windows, where the standard library does not tell.
    """
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415  not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    # on Linux `ru_maxrss` starts with the peak of the process that started this one
    own_kib = _said_by_linux("status", b"VmHWM:")
    return max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit if own_kib is None else own_kib * 1024, children)


def rss_bytes() -> int | None:
    """The resident memory of this process now, in bytes; None but on Linux."""
    kib = _said_by_linux("status", b"VmRSS:")
    return None if kib is None else kib * 1024


def thread_count() -> int | None:
    """The number of this process's threads, those of libraries too; None but on Linux."""
    return _said_by_linux("status", b"Threads:")


def io_bytes() -> tuple[int | None, int | None]:
    """Bytes that this process and its ended children have read from storage, and written to it; None but on Linux."""
    return _said_by_linux("io", b"\nread_bytes:"), _said_by_linux("io", b"\nwrite_bytes:")


def process_ids() -> frozenset[int] | None:
    """The processes of the machine that this one can see; None but on Linux."""
    try:
        return frozenset(int(name) for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208  names, quickly
    except OSError:
        return None


def _said_by_linux(file: str, name: bytes) -> int | None:
    """A number of Linux's `/proc/self`; None where it is not told."""
    try:
        text = Path("/proc/self", file).read_bytes()
    except OSError:
        return None
    _, _, rest = text.partition(name)
    return int(rest.split(maxsplit=1)[0]) if rest else None
