"""What the jobs of a run are to get."""

from typing import Final, Literal, NamedTuple

CUDA_VARIABLE: Final = "CUDA_VISIBLE_DEVICES"


class DeviceError(Exception):
    """No device can be had, however long one waits; the message says why, and what to type instead."""


class Wanted(NamedTuple):
    """What each job of a run is to get: one of these.

    Attributes:
        devices: what the variable is set to, each a device or several (`0,1`); `auto` for the NVIDIA GPUs that are visible;
            None for cores alone.
        variable: the environment variable that says which devices a process sees.
        cores: sets of CPU cores; with devices, the first is for the first of them, and so on.
        jobs_per_device: how many jobs share one.
        whole: whether `auto` is all that the variable names, for the launcher gives each job its own.
        says: what the variable says in the sweep's process, if the jobs run on its machine: submitit sets it to nothing in
            local jobs. None where what it says in the job's process counts.
    """

    devices: tuple[str, ...] | Literal["auto"] | None
    variable: str
    cores: tuple[tuple[int, ...], ...] | None
    jobs_per_device: int
    whole: bool = False
    says: tuple[str | None] | None = None

    def said_here(self, otherwise: str | None) -> str | None:
        """What the variable says, apart from what a claim or a launcher has made of it.

        Args:
            otherwise: what it is taken to say where it is not known from the sweep's process.
        """
        return otherwise if self.says is None else self.says[0]
