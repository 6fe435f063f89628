"""The NVIDIA GPUs that a job sees, and how much of each its processes use, as NVML tells."""

import os
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.measure.named_gpus import named_gpus, only_one_called

DRIVER_PAUSE_S: Final = 1.5
"""The driver looks about once a second who uses a GPU; what it saw holds for so long."""

Clock = Callable[[], float]
Find = partial[Any]
"""Finds a GPU's handle."""


@dataclass(frozen=True, slots=True)
class GpuUse:
    """What the processes of a job use of one GPU at one moment. What is not known is None.

    Attributes:
        percent: the share of the time in which their kernels ran.
        memory_bytes: the memory they hold.
    """

    percent: float | None = None
    memory_bytes: int | None = None


class NoGpuError(Exception):
    """There is no NVIDIA driver; the message says what is missing."""


def load_nvml() -> Any:
    """Imports NVML's bindings where there is a driver to talk to; they take a while to import.

    Raises:
        NoGpuError: if there is no driver.
        ImportError: if there is one, and nvidia-ml-py is not installed.
    """
    if not _driver_is_there():
        raise NoGpuError("there is no NVIDIA driver")
    import pynvml  # noqa: PLC0415  see above

    return pynvml


class Gpus:
    """The GPUs that are visible to the calling process, in the order in which it sees them.

    Args:
        nvml: the module `pynvml`.
        visible: `CUDA_VISIBLE_DEVICES`, with numbers in NVML's order. None for all GPUs.
        warn: called with a text, once for each GPU and reason.
        clock: tells the time in seconds.

    Raises:
        NoGpuError: if the driver is not loaded.
        Exception: NVML's own error, if it can tell nothing.
    """

    def __init__(self, nvml: Any, visible: str | None, warn: Callable[[str], None], clock: Clock = time.monotonic) -> None:
        self._nvml = nvml
        self._warn = warn
        self._clock = clock
        self._warned: set[str] = set()
        try:
            nvml.nvmlInit()
        except (nvml.NVMLError_LibraryNotFound, nvml.NVMLError_DriverNotLoaded) as error:
            raise NoGpuError("the NVIDIA driver is not loaded") from error
        try:
            self._handles = [self._handle(index, find) for index, find in enumerate(self._finders(visible))]
        except nvml.NVMLError:
            nvml.nvmlShutdown()
            raise
        self._newest = [0] * len(self._handles)
        self._last: dict[int, tuple[float, float]] = {}

    def __len__(self) -> int:
        """How many are visible."""
        return len(self._handles)

    def read(self, pids: Collection[int], all_pids: Collection[int]) -> tuple[GpuUse, ...]:
        """Reads what some processes use of each GPU.

        Args:
            pids: the processes of the job.
            all_pids: all processes that this process can see.

        Returns:
            One for each GPU.
        """
        return tuple(
            GpuUse() if handle is None else self._use(index, handle, pids, all_pids)
            for index, handle in enumerate(self._handles)
        )

    def close(self) -> None:
        """Lets go of the driver."""
        self._nvml.nvmlShutdown()

    def _use(self, index: int, handle: Any, pids: Collection[int], all_pids: Collection[int]) -> GpuUse:
        try:
            holders = self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        except self._nvml.NVMLError as error:
            self._cannot(index, error)
            return GpuUse(self._percent(index, handle, pids))
        if holders and not any(holder.pid in all_pids for holder in holders):
            # a container's processes have other numbers outside it, and older drivers tell those
            self._cannot(index, "the driver names its processes by the numbers they have outside of this container")
            return GpuUse()
        held = [holder.usedGpuMemory for holder in holders if holder.pid in pids]
        if None in held:
            self._cannot(index, "the driver does not tell memory by process")
            return GpuUse(self._percent(index, handle, pids))
        return GpuUse(self._percent(index, handle, pids), sum(held))

    def _percent(self, index: int, handle: Any, pids: Collection[int]) -> float | None:
        try:
            samples = self._new_samples(index, handle)
        except self._nvml.NVMLError as error:
            self._cannot(index, error)
            return None
        now = self._clock()
        if not samples:  # nobody has used it, or the driver has not looked again
            since, percent = self._last.get(index, (now, 0.0))
            return percent if now - since < DRIVER_PAUSE_S else 0.0
        latest: dict[int, int] = {}
        for sample in samples:
            self._newest[index] = sample.timeStamp
            if sample.pid in pids:
                latest[sample.pid] = sample.smUtil
        percent = min(100.0, float(sum(latest.values())))
        self._last[index] = now, percent
        return percent

    def _new_samples(self, index: int, handle: Any) -> list[Any]:
        """The driver's samples of who used a GPU, the oldest first, since those that were read before."""
        newest = self._newest[index]
        try:
            samples = self._nvml.nvmlDeviceGetProcessUtilization(handle, newest)
        except self._nvml.NVMLError_NotFound:
            return []
        except self._nvml.NVMLError as error:
            if getattr(error, "value", None) == self._nvml.NVML_SUCCESS:  # the bindings' error for no samples
                return []
            raise
        return sorted((sample for sample in samples if sample.timeStamp > newest), key=lambda sample: int(sample.timeStamp))

    def _finders(self, visible: str | None) -> list[Find]:
        """For each visible GPU, how its handle is found."""
        nvml = self._nvml
        count = nvml.nvmlDeviceGetCount()
        by_index = [partial(nvml.nvmlDeviceGetHandleByIndex, index) for index in range(count)]
        if visible is None:
            return by_index

        def found(word: int | str) -> Find | None:
            if isinstance(word, int):
                return by_index[word] if word < count else None
            if word.startswith("MIG-"):
                return partial(nvml.nvmlDeviceGetHandleByUUID, word)
            return only_one_called(word, ((self._uuid(find), find) for find in by_index))

        return [find for _, find in named_gpus(visible, found)]

    def _uuid(self, find: Find) -> str:
        try:
            uuid = self._nvml.nvmlDeviceGetUUID(find())
        except self._nvml.NVMLError:
            return ""
        return uuid.decode() if isinstance(uuid, bytes) else str(uuid)

    def _handle(self, index: int, find: Find) -> Any:
        try:
            return find()
        except self._nvml.NVMLError as error:
            self._cannot(index, error)
            return None

    def _cannot(self, index: int, why: object) -> None:
        text = f"GPU {index} cannot be read, or not in full, and those cells stay empty: {why}."
        if text not in self._warned:
            self._warned.add(text)
            self._warn(text)


def _driver_is_there() -> bool:
    if sys.platform == "darwin":
        return False
    if sys.platform == "win32":
        return Path(os.environ.get("WINDIR", "C:/Windows"), "System32", "nvml.dll").exists()
    import ctypes  # noqa: PLC0415  most jobs that measure GPUs have it loaded, the others run on

    try:
        ctypes.CDLL("libnvidia-ml.so.1")  # as the bindings themselves look for it
    except OSError:
        return False
    return True
