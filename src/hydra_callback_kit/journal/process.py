"""Which process writes, and whether a process that wrote is still there."""

import os
import socket
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple


class ProcessIdentity(NamedTuple):
    """A process, told apart from later ones that get the same pid, and from those of other containers.

    Attributes:
        host: name of the machine, or of the container.
        pid: process id there.
        born: what the operating system says of the process's start: on Linux `boot:start`, and in a container
            `boot:start:namespace`, by the number of its PID namespace; None where it says nothing.
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


def started_at() -> float:
    """When the calling process was started, in seconds since 1970; not on Linux, when this module was imported."""
    start = _start("self")
    try:
        uptime_s = float(Path("/proc/uptime").read_text("utf-8").split()[0])
        return time.time() - uptime_s + int(start or "") / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return _imported_at


_imported_at: Final = time.time()


def parent_process() -> ProcessIdentity:
    """Tells the process that has started the calling one."""
    pid = os.getppid()
    return ProcessIdentity(socket.gethostname(), pid, _start(pid))


def neighbour(pid: int, start: str | None = None) -> ProcessIdentity:
    """Tells a process that runs beside the calling one, on its machine and in its container.

    Args:
        pid: its process id.
        start: the kernel's start time, if it is known already.
    """
    place = _place(this_process().born)
    begun = start or _start(pid)
    if place is None or begun is None:
        return ProcessIdentity(this_process().host, pid, None)
    return ProcessIdentity(this_process().host, pid, ":".join(filter(None, (place.boot, begun, place.namespace))))


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
        True or False for a process of this machine and of this container; None where that can't be seen from here.
    """
    if process.host != socket.gethostname():
        return None
    if sys.platform == "win32":
        return _is_alive_on_windows(process.pid)
    theirs, ours = _place(process.born), _place(this_process().born)
    if theirs is not None and theirs != ours:
        # a machine that has started again since has ended it; of containers, several may have one host name
        return False if ours is not None and theirs.namespace == ours.namespace == "" else None
    return _is_alive_here(process)


def _is_alive_here(process: ProcessIdentity) -> bool | None:
    try:
        os.kill(process.pid, 0)
    except (ProcessLookupError, OverflowError):  # no process has a number that large: the journal is damaged
        return False
    except PermissionError:  # another user's, of whom some systems do not tell when it was started
        if _start(process.pid) is None:
            return None
    if process.born is None:
        return True
    return _start(process.pid) == _start_in(process.born) if _is_proc_ours() else None


def _of_this_process() -> tuple[ProcessIdentity, str]:
    global _this_process  # noqa: PLW0603  the answer is the process's own and costs system calls
    pid = os.getpid()
    if _this_process is None or _this_process[0].pid != pid:
        _this_process = ProcessIdentity(socket.gethostname(), pid, _born()), os.urandom(4).hex()
    return _this_process


_OF_THE_MACHINE: Final = "pid:[4026531836]"
"""The PID namespace that is no container's: Linux has given it this number on every machine, ever since it numbers them."""


class _Place(NamedTuple):
    """Where a pid means something: one boot of one machine, and one PID namespace, which is empty for the machine's own."""

    boot: str
    namespace: str


def _place(born: str | None) -> _Place | None:
    if born is None:
        return None
    boot, _, start = born.partition(":")
    return _Place(boot, start.partition(":")[2])


def _start_in(born: str) -> str:
    return born.partition(":")[2].partition(":")[0]


def _born() -> str | None:
    """Of this process, on Linux; `/proc` may be that of a namespace above, where this process has another pid."""
    start = _start("self")
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
    except (OSError, ValueError):
        return None
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:  # a kernel without namespaces
        namespace = _OF_THE_MACHINE
    in_it = "" if namespace == _OF_THE_MACHINE else ":" + "".join(filter(str.isdigit, namespace))
    return None if start is None else f"{boot}:{start}{in_it}"


def _start(pid: int | str) -> str | None:
    """On Linux the kernel's start time of a process; zombies have none any more."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else fields[18]


def _is_proc_ours() -> bool:
    try:
        return Path("/proc/self").readlink().name == str(os.getpid())
    except OSError:
        return False


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
