"""The GPUs that a job sees, and what its processes use of them."""

import inspect
from typing import Any

import pynvml
import pytest
from nvml import (
    FakeGpu,
    FakeNvml,
    NVMLError,
    NVMLError_DriverNotLoaded,
    NVMLError_LibraryNotFound,
    NVMLError_NotSupported,
)

from hydra_callback_kit.measure.gpus import Gpus, GpuUse, NoGpuError

OURS, ALL = {7, 8}, {1, 7, 8, 9}


def test_two_gpus_are_read_for_the_processes_of_the_job() -> None:
    """Memory and utilisation of others do not count; each process's latest sample does, until there should be a new one."""
    first = FakeGpu({7: 100, 8: 20, 9: 5000}, [(7, 10, 90), (7, 11, 30), (8, 11, 15), (9, 11, 50)])
    second = FakeGpu({9: 5000}, [(9, 11, 99)])
    nvml, said = FakeNvml(first, second), list[str]()
    times = iter([0.0, 0.0, 1.0, 1.0, 3.0, 3.0, 3.1, 3.1])
    gpus = Gpus(nvml, None, said.append, lambda: next(times))
    for _ in range(2):
        assert gpus.read(OURS, ALL) == (GpuUse(45.0, 120), GpuUse(0.0, 0))
    assert gpus.read(OURS, ALL) == (GpuUse(0.0, 120), GpuUse(0.0, 0))
    first.samples.append((7, 12, 70))
    assert gpus.read(OURS, ALL)[0].percent == 70.0
    gpus.close()
    assert (nvml.open, said) == (0, [])


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"error": NVMLError("GPU is lost")}, GpuUse()),
        ({"lost": True}, GpuUse()),
        ({"memory": {7: 10}, "sample_error": NVMLError_NotSupported("no samples")}, GpuUse(None, 10)),
        ({"memory": {7: None}, "samples": [(7, 10, 30)]}, GpuUse(30.0, None)),
        ({"memory": {4711: 10}, "samples": [(4711, 10, 30)]}, GpuUse()),  # a pid of another container, or outside of ours
    ],
)
def test_what_cannot_be_read_is_said_once_and_left_empty(wrong: dict[str, Any], expected: GpuUse) -> None:
    """One GPU of two is lost, or its driver does not tell all; the other is read."""
    said = list[str]()
    gpus = Gpus(FakeNvml(FakeGpu({8: 20}, [(8, 10, 15)]), FakeGpu(**wrong)), None, said.append)
    readings = [gpus.read(OURS, ALL) for _ in range(3)]
    assert readings == [(GpuUse(15.0, 20), expected)] * 3
    (text,) = said
    assert text.startswith("GPU 1 cannot be read")


@pytest.mark.parametrize(
    ("visible", "memory"),
    [
        (None, [1, 2, 3]),
        ("2,0", [3, 1]),
        ("GPU-b1, GPU-c", [2, 3]),
        ("", []),
        ("-1", []),
        ("1,7,0", [2]),  # as for CUDA, what follows a wrong one is hidden
        ("0,GPU-x,1", [1]),
    ],
)
def test_only_visible_gpus_are_read(visible: str | None, memory: list[int]) -> None:
    """CUDA_VISIBLE_DEVICES chooses and orders them."""
    gpus = Gpus(FakeNvml(*(FakeGpu({7: size}) for size in (1, 2, 3))), visible, print)
    assert len(gpus) == len(memory)
    assert [gpu.memory_bytes for gpu in gpus.read(OURS, ALL)] == memory


def test_a_gpu_that_nobody_has_used_is_no_error() -> None:
    """The bindings raise success for it, or that nothing was found."""
    said = list[str]()
    gpus = Gpus(FakeNvml(FakeGpu(sample_error=NVMLError("", 0)), FakeGpu()), None, said.append)
    assert gpus.read(OURS, ALL) == (GpuUse(0.0, 0), GpuUse(0.0, 0))
    assert said == []


def test_a_driver_that_is_not_there_is_told_from_one_that_fails() -> None:
    """The one is no reason for a warning; the other's own error passes, and nothing stays open."""
    for error in (NVMLError_LibraryNotFound(), NVMLError_DriverNotLoaded()):
        with pytest.raises(NoGpuError):
            Gpus(FakeNvml(init_error=error), None, print)
    with pytest.raises(NVMLError, match="mismatch"):
        Gpus(FakeNvml(init_error=NVMLError("mismatch")), None, print)


def test_the_real_library_has_what_the_fake_one_has() -> None:
    """The same names, functions that take as many arguments, and errors of one family."""
    for name, fake in vars(FakeNvml).items():
        real = getattr(pynvml, name, None)
        if name == "NVML_SUCCESS":
            assert real == fake
        elif name.startswith("NVMLError"):
            assert issubclass(real, pynvml.NVMLError), name
        elif name.startswith("nvml"):
            assert len(inspect.signature(real).parameters) == len(inspect.signature(fake).parameters) - 1, name
