"""Which process writes, and whether a process that wrote is still there."""

import os
import socket
import sys
from pathlib import Path
from typing import NamedTuple


class ProcessIdentity(NamedTuple):
    """A process, told apart from later ones that get the same pid.

    Attributes:
        host: name of the machine.
        pid: process id on that machine.
        born: what the operating system says of the process's start; None where it says nothing.
    """

    host: str
    pid: int
    born: str | None


_this_process: tuple[ProcessIdentity, str] | None = None


def this_process() -> ProcessIdentity:
    """Tells the calling process, also after a fork."""
    return _of_this_process()[0]


def this_process_token() -> str:
    """A random word of the calling process: two containers may share a host name and a pid."""
    return _of_this_process()[1]


def user_name() -> str | None:
    """Who runs the calling process; None where the user has no name, as in some containers."""
    import getpass  # noqa: PLC0415  most processes need not know

    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return None


def is_alive(process: ProcessIdentity) -> bool | None:
    """Looks whether a process still runs.

    Args:
        process: the process in question.

    Returns:
        True or False for a process of this machine; None where that can't be seen from here.
    """
    if process.host != socket.gethostname():
        return None
    if sys.platform == "win32":
        return _is_alive_on_windows(process.pid)
    try:
        os.kill(process.pid, 0)
    except (ProcessLookupError, OverflowError):  # no process has a number that large: the journal is damaged
        return False
    except PermissionError:  # another user's, of whom some systems do not tell when it was started
        born = _born(process.pid)
        return None if born is None else process.born in (None, born)
    return process.born is None or _born(process.pid) == process.born


def _of_this_process() -> tuple[ProcessIdentity, str]:
    global _this_process  # noqa: PLW0603  the answer is the process's own and costs system calls
    pid = os.getpid()
    if _this_process is None or _this_process[0].pid != pid:
        _this_process = ProcessIdentity(socket.gethostname(), pid, _born(pid)), os.urandom(4).hex()
    return _this_process


def _born(pid: int) -> str | None:
    """On Linux the kernel's start time of the process and the boot it belongs to; zombies were born no more."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
        state, *fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else f"{boot}:{fields[18]}"


def _is_alive_on_windows(pid: int) -> bool:
    """`os.kill` would end the process there."""
    import ctypes  # noqa: PLC0415  needed on one platform only

    query_limited_information, still_active = 0x1000, 259
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]  # exists on Windows only
    handle = kernel.OpenProcess(query_limited_information, 0, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == still_active
