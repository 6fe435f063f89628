"""What the NVIDIA GPUs are called that a process sees, or their slices (MIG)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from hydra_callback_kit.measure.gpus import NoGpuError
from hydra_callback_kit.measure.named_gpus import named_gpus, only_one_called

if TYPE_CHECKING:
    from typing_extensions import Self


class VisibleGpu(NamedTuple):
    """A GPU, or a slice of one.

    Attributes:
        name: what people call it: its number in NVML's order, of a slice `<GPU>:<slice>`, or the word that names it.
        word: what `CUDA_VISIBLE_DEVICES` may say to name it, and no other.
        uuid: what tells it from every other.
    """

    name: str
    word: str
    uuid: str


class VisibleGpus:
    """Asks NVML for the names of GPUs, while it is open: `with VisibleGpus(nvml) as gpus`.

    Args:
        nvml: the module `pynvml`.

    Raises:
        NoGpuError: as it is opened, if the driver is not loaded.
    """

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        self._all: list[list[VisibleGpu]] = []

    def __enter__(self) -> "Self":
        """Talks to the driver."""
        try:
            self._nvml.nvmlInit()
        except self._nvml.NVMLError as error:
            raise NoGpuError(f"the NVIDIA driver cannot be asked ({error})") from error
        try:
            self._all = [list(self._of(index)) for index in range(self._nvml.nvmlDeviceGetCount())]
        except self._nvml.NVMLError as error:
            self._nvml.nvmlShutdown()
            raise NoGpuError(f"the NVIDIA driver does not tell its GPUs ({error})") from error
        return self

    def __exit__(self, *_: object) -> None:
        """Lets go of the driver."""
        self._nvml.nvmlShutdown()

    def named(self, visible: str | None) -> list[VisibleGpu]:
        """The GPUs that `CUDA_VISIBLE_DEVICES` names, in its order.

        Args:
            visible: its value, with numbers in NVML's order. None for all GPUs, and their slices in place of those that are
                sliced.
        """
        if visible is None:
            return [gpu for each in self._all for gpu in each]
        return [VisibleGpu(word, word, gpu.uuid) for word, gpu in named_gpus(visible, self._called)]

    def _called(self, word: int | str) -> VisibleGpu | None:
        if isinstance(word, str):
            return only_one_called(word, ((gpu.uuid, gpu) for each in self._all for gpu in each))
        # of a GPU that is sliced CUDA takes the first slice
        return self._all[word][0] if word < len(self._all) and self._all[word] else None

    def _of(self, index: int) -> Iterator[VisibleGpu]:
        """A GPU, or its slices; nothing for one that does not answer, which CUDA does not use either."""
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            if not self._is_sliced(handle):
                uuid = _text(nvml.nvmlDeviceGetUUID(handle))
                yield VisibleGpu(str(index), uuid, uuid)
                return
        except nvml.NVMLError:
            return
        for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
            try:
                uuid = _text(nvml.nvmlDeviceGetUUID(nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)))
            except nvml.NVMLError:  # there is no slice of that number
                continue
            yield VisibleGpu(f"{index}:{number}", uuid, uuid)

    def _is_sliced(self, handle: Any) -> bool:
        try:
            return bool(self._nvml.nvmlDeviceGetMigMode(handle)[0])
        except self._nvml.NVMLError:  # most GPUs cannot be sliced
            return False


def _text(uuid: bytes | str) -> str:
    return uuid.decode() if isinstance(uuid, bytes) else str(uuid)
