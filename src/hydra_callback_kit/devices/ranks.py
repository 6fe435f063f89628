"""The ranks of one job on one machine share a place: one of them takes it, and tells the others by a note."""

import contextlib
import functools
import os
import time
from hashlib import blake2s
from pathlib import Path
from typing import Final

from hydra_callback_kit.devices.grant import Grant, grant_in
from hydra_callback_kit.devices.place import Place
from hydra_callback_kit.devices.wanted import DeviceError
from hydra_callback_kit.journal.at_exit import at_exit
from hydra_callback_kit.journal.batch_job import number_in
from hydra_callback_kit.journal.rank import rank_of_this_process
from hydra_callback_kit.journal.regular_file import open_regular

_LOCAL_NUMBERS: Final = (
    "LOCAL_RANK",
    "SLURM_LOCALID",
    "OMPI_COMM_WORLD_LOCAL_RANK",
    "MPI_LOCALRANKID",
    "SUBMITIT_LOCAL_LOCALID",
)
_PATIENCE_S: Final = 300.0
"""How long a rank waits for a word of the one that takes the place: it may still be importing."""
_PAUSE_S: Final = 0.1
_MOST_BYTES: Final = 1_000_000


class Leader:
    """The rank that takes the place for all ranks of a job on this machine, as seen from one of them.

    Args:
        note: where it says what it has.
        is_me: whether it is the calling process.
    """

    def __init__(self, note: Path, *, is_me: bool) -> None:
        self._note = note
        self._is_me = is_me
        self._told = False

    def is_here(self) -> bool:
        """Whether it is the calling process."""
        return self._is_me

    def tell(self, grant: Grant) -> None:
        """Says to the others what this process has, or that it waits.

        Raises:
            DeviceError: if it cannot be said, in which case the others would wait for ever.
        """
        temporary = self._note.with_name(f"{self._note.name}.{os.urandom(4).hex()}.tmp")
        try:
            temporary.touch(0o600)
            temporary.write_text(grant.as_text(), "utf-8")
            temporary.replace(self._note)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise DeviceError(f"The other ranks of this job cannot be told which device they share: {error}.") from error
        if not self._told:
            self._told = True
            at_exit(functools.partial(self._forget, os.getpid()))

    def follow(self, variable: str, says: str | None) -> Place | None:
        """Waits for what it has.

        Args:
            variable: the variable that says which devices a process sees.
            says: what it says here.

        Returns:
            None where this rank sees other devices than the one that takes a place: it has its own.

        Raises:
            DeviceError: if it says nothing.
        """
        until_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until_s:
            grant = self._read()
            if grant is not None and grant.holds():
                if grant.variable != variable or grant.says != says:
                    return None
                if grant.place is not None:
                    return grant.place
                until_s = time.monotonic() + _PATIENCE_S
            time.sleep(_PAUSE_S)
        raise DeviceError(
            f"The first rank of this job on this machine has not said in {_PATIENCE_S:.0f} s which device it has taken for "
            "all of them. If it has no device_callback, drop it here, too."
        )

    def _read(self) -> Grant | None:
        try:
            with open_regular(self._note) as file:
                if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid != os.getuid():
                    return None
                return grant_in(file.read(_MOST_BYTES).decode("utf-8", "replace"))
        except OSError:
            return None

    def _forget(self, pid: int) -> None:
        if os.getpid() == pid:  # a forked child ends, too
            with contextlib.suppress(OSError):
                self._note.unlink()


def leader_of(claims: Path) -> Leader | None:
    """The leader of the ranks on this machine; None for a process that is a job by itself.

    Args:
        claims: the file of claims, beside which the note is.
    """
    rank = rank_of_this_process()
    if rank is None:
        return None
    user = os.getuid() if hasattr(os, "getuid") else 0
    word = blake2s(f"{user} {rank.job}".encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    local = next((number for number in map(number_in, _LOCAL_NUMBERS) if number is not None), rank.number)
    return Leader(claims.with_name(f"{claims.name}.{word}"), is_me=rank.number == 0 or local == 0)
