"""Whether this process has looked already which devices it sees: from then on no variable changes that."""

import os
import sys


def devices_are_fixed(variable: str) -> bool:
    """Tells whether CUDA, or what another vendor has for it, is up in this process.

    torch is asked, if the process has imported it. On Linux a driver that is open tells it of every other library, too.

    Args:
        variable: the variable in question.
    """
    if not variable.endswith("VISIBLE_DEVICES"):
        return False
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    asked = getattr(cuda, "is_initialized", None)
    return bool(callable(asked) and asked()) or _driver_is_open()


def _driver_is_open() -> bool:
    """Only what computes opens `nvidia-uvm`, and ROCm's `kfd`; NVML does not."""
    try:
        numbers = os.listdir("/proc/self/fd")  # noqa: PTH208  the names are all that is asked for
    except OSError:  # this is not Linux
        return False
    return any(_leads_to(f"/proc/self/fd/{number}") in ("/dev/nvidia-uvm", "/dev/kfd") for number in numbers)


def _leads_to(link: str) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115  quick, for there may be thousands
    except OSError:
        return ""
