"""The places that a process may take on this machine: devices, cores, or both."""

import contextlib
import os
import socket
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from hydra_callback_kit.devices.wanted import CUDA_VARIABLE, DeviceError, Wanted
from hydra_callback_kit.measure.gpus import NoGpuError, load_nvml
from hydra_callback_kit.measure.visible_gpus import VisibleGpu, VisibleGpus

_WITHOUT_A_GPU: Final = "Write devices=[0,1], or devices=null with cores, or drop the callback"


class Place(NamedTuple):
    """What a job gets.

    Attributes:
        device: what the device is called; None for cores alone.
        value: what the variable is set to; None where it is left as it is.
        cores: the CPU cores; None for all.
        keys: what is claimed of the machine.
    """

    device: str | None
    value: str | None
    cores: tuple[int, ...] | None
    keys: tuple[str, ...]

    def facts(self) -> dict[str, str]:
        """What the record of a job says of it."""
        device = {} if self.device is None else {"device": self.device}
        return device if self.cores is None else {**device, "cores": in_words(self.cores)}


def places_of(wanted: Wanted, says: str | None, cores: Collection[int] | None) -> list[Place]:
    """Finds the places that a process may take.

    Args:
        wanted: what its run asks for.
        says: what the variable says, apart from what a claim has made of it; None if it is not set.
        cores: the CPU cores that the process may run on; None where that is not known.

    Raises:
        DeviceError: if there is none.
    """
    if wanted.cores is not None and cores is not None:
        for each in wanted.cores:
            if not set(each) <= set(cores):
                raise DeviceError(
                    f"cores: this process may not run on the cores {in_words(each)}. {socket.gethostname()} has "
                    f"{os.cpu_count()}, and those that are allowed here are {in_words(sorted(cores))}."
                )
    if wanted.devices is None:
        return [Place(None, None, each, _cores_claimed(each)) for each in wanted.cores or ()]
    numbered = _auto(wanted, says) if wanted.devices == "auto" else _named(wanted, wanted.devices, says)
    if wanted.cores is None:
        return [place for _, place in numbered]
    if numbered and numbered[-1][0] >= len(wanted.cores):
        raise DeviceError(
            f"cores has {len(wanted.cores)} sets, and there are {len(numbered)} devices to pair them with: "
            f"{', '.join(str(place.device) for _, place in numbered)}. Write one set for each."
        )
    return [
        place._replace(cores=wanted.cores[number], keys=(*place.keys, *_cores_claimed(wanted.cores[number])))
        for number, place in numbered
    ]


def seen_here(variable: str) -> set[str]:
    """What this process sees of NVIDIA's GPUs, as it is claimed; nothing where that is not known."""
    if variable == CUDA_VARIABLE:
        with contextlib.suppress(NoGpuError, ImportError), VisibleGpus(load_nvml()) as gpus:
            return {gpu.uuid for gpu in gpus.named(os.environ.get(variable))}
    return set()


def in_words(cores: Sequence[int]) -> str:
    """A set of cores as it is written: `0-3,8`."""
    words: list[list[int]] = []
    for core in cores:
        if words and words[-1][-1] == core - 1:
            words[-1][1:] = [core]
        else:
            words.append([core])
    return ",".join("-".join(map(str, word)) for word in words)


def _auto(wanted: Wanted, says: str | None) -> list[tuple[int, Place]]:
    """The GPUs that are visible."""
    where = f"devices=auto finds no NVIDIA GPU on {socket.gethostname()}"
    try:
        with VisibleGpus(load_nvml()) as gpus:
            visible = gpus.named(says)
    except NoGpuError as error:
        raise DeviceError(f"{where}: {error}. {_WITHOUT_A_GPU}.") from error
    except ImportError as error:
        raise DeviceError(
            f"{where} without nvidia-ml-py. Type: pip install 'hydra-callback-kit[resources]', or write devices=[0,1]."
        ) from error
    if not visible:
        advice = _WITHOUT_A_GPU if says is None else "Unset it, or name GPUs that are there"
        raise DeviceError(f"{where}: {_said(wanted.variable, says)}. {advice}.")
    if wanted.whole and says is not None:
        return [(0, Place(says, says, None, tuple(sorted({gpu.uuid for gpu in visible}))))]
    return [(number, Place(gpu.name, gpu.word, None, (gpu.uuid,))) for number, gpu in enumerate(visible)]


def _named(wanted: Wanted, devices: Sequence[str], says: str | None) -> list[tuple[int, Place]]:
    """Those of the devices that are visible, with their places in the list."""
    claimed, seen = _claimed_as(wanted.variable, devices, says)
    places = [
        (number, Place(device, device, None, tuple(sorted(keys))))
        for number, (device, keys) in enumerate(zip(devices, claimed, strict=True))
        if seen is None or keys <= seen
    ]
    if not places:
        names_some = seen and any(word.strip()[:1] not in ("", "-") for word in (says or "").split(","))
        auto = ", or devices=auto" if wanted.variable == CUDA_VARIABLE else ""
        raise DeviceError(
            f"devices=[{','.join(map(_quoted, devices))}] names none that may be used here: {_said(wanted.variable, says)}. "
            + (f"Write devices that it names{auto}." if names_some else "That is none at all: unset it.")
        )
    return places


def _claimed_as(variable: str, devices: Sequence[str], says: str | None) -> tuple[list[set[str]], set[str] | None]:
    """What is claimed for each device, and all that is visible; None for everything.

    A GPU has many names. Where NVML can be asked, it is claimed by its UUID.
    """
    if variable == CUDA_VARIABLE:
        try:
            with VisibleGpus(load_nvml()) as gpus:
                claimed = [_uuids(gpus, device) for device in devices]
                return claimed, None if says is None else {gpu.uuid for gpu in gpus.named(says)}
        except (NoGpuError, ImportError):
            pass  # what they are called has to do
    seen = None if says is None else {f"{variable} {word}" for word in says.replace(" ", "").split(",")}
    return [{f"{variable} {word}" for word in device.split(",")} for device in devices], seen


def _uuids(gpus: VisibleGpus, device: str) -> set[str]:
    named: list[VisibleGpu] = gpus.named(device)
    words = device.split(",")
    unknown = next((word for word in words if not gpus.named(word)), None)
    if unknown is not None:
        there = ", ".join(gpu.name for gpu in gpus.named(None)) or "none"
        raise DeviceError(f"devices: there is no GPU {unknown} on {socket.gethostname()}. Those that are there: {there}.")
    if len(named) < len(words):
        raise DeviceError(
            f"devices: CUDA does not see {len(words)} GPUs in {device!r}. Write numbers or UUIDs, each GPU once."
        )
    return {gpu.uuid for gpu in named}


def _quoted(device: str) -> str:
    return f'"{device}"' if "," in device else device


def _said(variable: str, says: str | None) -> str:
    return f"{variable} is not set" if says is None else f"{variable}={says!r}"


def _cores_claimed(cores: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"core {core}" for core in cores)
