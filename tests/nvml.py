"""An NVML whose GPUs are what a test says."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


class NVMLError(Exception):
    """As NVML's."""

    def __init__(self, text: str = "", value: int = 999) -> None:
        super().__init__(text)
        self.value = value


class NVMLError_NotFound(NVMLError):  # noqa: N801, N818  NVML's name
    """As NVML's."""


class NVMLError_NotSupported(NVMLError):  # noqa: N801, N818  NVML's name
    """As NVML's."""


class NVMLError_LibraryNotFound(NVMLError):  # noqa: N801, N818  NVML's name
    """As NVML's."""


class NVMLError_DriverNotLoaded(NVMLError):  # noqa: N801, N818  NVML's name
    """As NVML's."""


@dataclass(eq=False)
class FakeGpu:
    """A GPU: memory by pid, utilisation samples as (pid, time, percent), the error that it answers with, and its slices."""

    memory: dict[int, int | None] = field(default_factory=dict)
    samples: list[tuple[int, int, int]] = field(default_factory=list)
    error: NVMLError | None = None
    sample_error: NVMLError | None = None
    lost: bool = False
    slices: list[str | None] | None = None


class FakeNvml:
    """In the place of the module `pynvml`."""

    NVML_SUCCESS = 0
    NVMLError = NVMLError
    NVMLError_NotFound = NVMLError_NotFound
    NVMLError_LibraryNotFound = NVMLError_LibraryNotFound
    NVMLError_DriverNotLoaded = NVMLError_DriverNotLoaded

    def __init__(self, *gpus: FakeGpu, init_error: NVMLError | None = None) -> None:
        self.gpus = gpus
        self.init_error = init_error
        self.open = 0

    def nvmlInit(self) -> None:  # noqa: N802  NVML's name
        """Opens the driver."""
        if self.init_error is not None:
            raise self.init_error
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802  NVML's name
        """Closes it."""
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802  NVML's name
        """How many there are."""
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:  # noqa: N802  NVML's name
        """One of them."""
        if self.gpus[index].lost:
            raise NVMLError("GPU is lost")
        return self.gpus[index]

    def nvmlDeviceGetUUID(self, gpu: FakeGpu) -> str:  # noqa: N802  NVML's name
        """`GPU-a0`, `GPU-b1` and so on, and a slice's own."""
        if isinstance(gpu, str):
            return gpu
        index = self.gpus.index(gpu)
        return f"GPU-{'abcdefgh'[index]}{index}"

    def nvmlDeviceGetComputeRunningProcesses(self, gpu: FakeGpu) -> list[Any]:  # noqa: N802  NVML's name
        """Who holds memory."""
        if gpu.error is not None:
            raise gpu.error
        return [SimpleNamespace(pid=pid, usedGpuMemory=memory) for pid, memory in gpu.memory.items()]

    def nvmlDeviceGetProcessUtilization(self, gpu: FakeGpu, since: int) -> list[Any]:  # noqa: N802  NVML's name
        """Who has used it since."""
        error = gpu.error or gpu.sample_error
        if error is not None:
            raise error
        samples = [SimpleNamespace(pid=p, timeStamp=t, smUtil=percent) for p, t, percent in gpu.samples]
        if not any(sample.timeStamp > since for sample in samples):
            raise NVMLError_NotFound
        return samples

    def nvmlDeviceGetMigMode(self, gpu: FakeGpu) -> list[int]:  # noqa: N802  NVML's name
        """Whether it is sliced now, and after the next reset."""
        if gpu.slices is None:
            raise NVMLError_NotSupported
        return [int(bool(gpu.slices)), 1]

    def nvmlDeviceGetMaxMigDeviceCount(self, gpu: FakeGpu) -> int:  # noqa: N802  NVML's name
        """How many slices it may have."""
        return len(gpu.slices or ())

    def nvmlDeviceGetMigDeviceHandleByIndex(self, gpu: FakeGpu, index: int) -> str:  # noqa: N802  NVML's name
        """A slice; here its UUID."""
        uuid = (gpu.slices or ())[index]
        if uuid is None:
            raise NVMLError_NotFound
        return uuid
