"""Which places there are: GPUs and their slices by all their names, what the variable lets through, and sets of cores."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nvml import FakeGpu, FakeNvml, NVMLError_DriverNotLoaded

from hydra_callback_kit.devices import place
from hydra_callback_kit.devices.place import in_words, places_of
from hydra_callback_kit.devices.wanted import DeviceError, Wanted
from hydra_callback_kit.measure.gpus import NoGpuError

AUTO = Wanted("auto", "CUDA_VISIBLE_DEVICES", None, 1)


def listed(*devices: str, **more: Any) -> Wanted:
    """What a list of devices asks for."""
    return AUTO._replace(devices=devices, **more)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    """A machine with two GPUs."""
    return machine(monkeypatch, FakeGpu(), FakeGpu())


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a GPU."""

    def none() -> None:
        raise NoGpuError("there is no NVIDIA driver")

    monkeypatch.setattr(place, "load_nvml", none)


def machine(monkeypatch: pytest.MonkeyPatch, *gpus: FakeGpu) -> FakeNvml:
    """A machine with these GPUs."""
    nvml = FakeNvml(*gpus)
    monkeypatch.setattr(place, "load_nvml", lambda: nvml)
    return nvml


def names(wanted: Wanted, says: str | None = None) -> list[tuple[str | None, str | None, tuple[str, ...]]]:
    """What the places are called, what the variable is set to, and what is claimed."""
    return [(each.device, each.value, each.keys) for each in places_of(wanted, says, None)]


def test_auto_is_every_gpu_by_the_name_that_no_other_has(two_gpus: FakeNvml) -> None:
    """CUDA counts in another order than NVML where GPUs differ. The driver is let go."""
    assert names(AUTO) == [("0", "GPU-a0", ("GPU-a0",)), ("1", "GPU-b1", ("GPU-b1",))]
    assert two_gpus.open == 0


@pytest.mark.usefixtures("two_gpus")
def test_auto_is_what_the_variable_names_as_it_names_it() -> None:
    """Those behind a word that names none are hidden, as for CUDA; the launcher's GPUs are one job's."""
    assert names(AUTO, "1") == [("1", "1", ("GPU-b1",))]
    assert names(AUTO, "GPU-b, GPU-a0") == [("GPU-b", "GPU-b", ("GPU-b1",)), ("GPU-a0", "GPU-a0", ("GPU-a0",))]
    assert names(AUTO, "1a,00") == [("1", "1", ("GPU-b1",)), ("0", "0", ("GPU-a0",))]
    assert names(AUTO, "0,7,1") == [("0", "0", ("GPU-a0",))]
    assert names(AUTO._replace(whole=True), "1,0") == [("1,0", "1,0", ("GPU-a0", "GPU-b1"))]
    assert len(names(AUTO._replace(whole=True))) == 2


def test_slices_are_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of the GPU that is sliced; its number stands for the first one."""
    machine(monkeypatch, FakeGpu(slices=["MIG-1", None, "MIG-2"]), FakeGpu(slices=[]))
    assert names(AUTO) == [
        ("0:0", "MIG-1", ("MIG-1",)),
        ("0:2", "MIG-2", ("MIG-2",)),
        ("1", "GPU-b1", ("GPU-b1",)),
    ]
    assert names(AUTO, "MIG-2") == [("MIG-2", "MIG-2", ("MIG-2",))]
    assert names(listed("0", "1")) == [("0", "0", ("MIG-1",)), ("1", "1", ("GPU-b1",))]


def test_a_gpu_that_does_not_answer_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are devices all the same."""
    machine(monkeypatch, FakeGpu(lost=True), FakeGpu())
    assert names(AUTO) == [("1", "GPU-b1", ("GPU-b1",))]


@pytest.mark.usefixtures("two_gpus")
def test_all_names_of_a_gpu_are_one_claim() -> None:
    """Whoever says `0`, and whoever says the UUID, means the same; so does a set."""
    assert [keys for *_, keys in names(listed("0", "GPU-b1"))] == [("GPU-a0",), ("GPU-b1",)]
    assert [keys for *_, keys in names(listed("GPU-b,GPU-a0"))] == [("GPU-a0", "GPU-b1")]
    assert names(listed("0", "1"), "GPU-b1") == [("1", "1", ("GPU-b1",))]
    with pytest.raises(DeviceError, match=r"there is no GPU 2 on .*\. Those that are there: 0, 1\."):
        places_of(listed("0", "2"), None, None)
    with pytest.raises(
        DeviceError, match=r"CUDA does not see 2 GPUs in '1,GPU-a0'\. Write numbers or UUIDs, each GPU once\."
    ):
        places_of(listed("1,GPU-a0"), None, None)


@pytest.mark.usefixtures("no_driver")
def test_without_a_driver_a_name_is_what_is_claimed() -> None:
    """Whatever it names, for each variable by itself."""
    assert names(listed("0", "1,2")) == [
        ("0", "0", ("CUDA_VISIBLE_DEVICES 0",)),
        ("1,2", "1,2", ("CUDA_VISIBLE_DEVICES 1", "CUDA_VISIBLE_DEVICES 2")),
    ]
    assert names(listed("0", variable="ZE_AFFINITY_MASK")) == [("0", "0", ("ZE_AFFINITY_MASK 0",))]
    assert names(listed("0", "1", "2,3"), "1, 3,4") == [("1", "1", ("CUDA_VISIBLE_DEVICES 1",))]


@pytest.mark.usefixtures("no_driver")
@pytest.mark.parametrize(
    ("says", "advice"),
    [
        ("", "unset it"),
        (" ,", "unset it"),
        ("-1", "unset it"),
        ("4,5", "Write devices that it names, or devices=auto"),
        ("GPU-1", "Write devices that it names, or devices=auto"),
    ],
)
def test_where_none_may_be_used_that_is_an_error(says: str, advice: str) -> None:
    """Never another device, and never none at all without a word; the advice is one that helps."""
    named = rf'devices=\[0,"1,2"\] names none that may be used here: CUDA_VISIBLE_DEVICES=\'{says}\'.*{advice}\.$'
    with pytest.raises(DeviceError, match=named):
        places_of(listed("0", "1,2"), says, None)


def test_auto_without_a_gpu_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """No driver, one that is not loaded, no bindings, and no GPU that is visible: each with what to type."""
    for nvml, says, said in (
        (FakeNvml(FakeGpu()), "", r"finds no NVIDIA GPU on .*: CUDA_VISIBLE_DEVICES=''\. Unset it"),
        (FakeNvml(init_error=NVMLError_DriverNotLoaded("not loaded")), None, r"cannot be asked"),
        (FakeNvml(), None, r"CUDA_VISIBLE_DEVICES is not set\. Write devices=\[0,1\], or devices=null with cores"),
    ):
        monkeypatch.setattr(place, "load_nvml", lambda nvml=nvml: nvml)
        with pytest.raises(DeviceError, match=said):
            places_of(AUTO, says, None)

    def raises(error: Exception) -> None:
        raise error

    monkeypatch.setattr(place, "load_nvml", lambda: raises(ImportError("pynvml")))
    with pytest.raises(DeviceError, match=r"pip install 'hydra-callback-kit\[resources\]'"):
        places_of(AUTO, None, None)
    monkeypatch.setattr(place, "load_nvml", lambda: raises(NoGpuError("there is no NVIDIA driver")))
    with pytest.raises(DeviceError, match=r"there is no NVIDIA driver\. Write devices=\[0,1\]"):
        places_of(AUTO, None, None)


@pytest.mark.usefixtures("no_driver")
def test_cores_alone_or_with_devices() -> None:
    """The first set goes with the first device, also where that one may not be used."""
    cores = ((0, 1), (2, 3))
    alone = places_of(Wanted(None, "X", cores, 1), "0", {0, 1, 2, 3})
    assert [(each.value, each.cores, each.keys) for each in alone] == [
        (None, (0, 1), ("core 0", "core 1")),
        (None, (2, 3), ("core 2", "core 3")),
    ]
    assert alone[0].facts() == {"cores": "0-1"}
    (second,) = places_of(listed("0", "1", cores=cores), "1", {0, 1, 2, 3})
    assert (second.value, second.cores) == ("1", (2, 3))
    assert second.keys == ("CUDA_VISIBLE_DEVICES 1", "core 2", "core 3")
    assert second.facts() == {"device": "1", "cores": "2-3"}
    with pytest.raises(DeviceError, match=r"may not run on the cores 2-3.*allowed here are 0-2"):
        places_of(Wanted(None, "X", cores, 1), None, {0, 1, 2})


@pytest.mark.usefixtures("two_gpus")
def test_too_few_sets_of_cores_for_the_gpus_found() -> None:
    """Auto finds how many there are only where the jobs run."""
    assert len(places_of(AUTO._replace(cores=((0,), (1,), (2,))), None, None)) == 2
    with pytest.raises(DeviceError, match="cores has 1 sets, and there are 2 devices"):
        places_of(AUTO._replace(cores=((0,),)), None, None)


@given(st.sets(st.integers(0, 40), min_size=1))
def test_cores_in_words(cores: set[int]) -> None:
    """As they can be written: the same cores."""
    found: list[int] = []
    for word in in_words(sorted(cores)).split(","):
        first, _, last = word.partition("-")
        found += range(int(first), int(last or first) + 1)
    assert found == sorted(cores)
