"""What the calling process has used so far: CPU time and memory, as the operating system counts them."""

import os
import sys
from pathlib import Path


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended, in seconds."""
    times = os.times()
    if sys.platform == "win32":
        return times.user + times.system
    import resource  # noqa: PLC0415  not on Windows

    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


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
    return max(_own_peak_bytes() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, children)


def _own_peak_bytes() -> int | None:
    """From Linux's `/proc`: there `ru_maxrss` starts with the peak of the process that started this one."""
    try:
        status = Path("/proc/self/status").read_bytes()
    except OSError:
        return None
    _, _, rest = status.partition(b"VmHWM:")
    return int(rest.split(maxsplit=1)[0]) * 1024 if rest else None
