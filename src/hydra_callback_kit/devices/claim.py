"""A process takes a place, and has it until it ends; what it starts works there, too.

claim(wanted, ...)      the place, waited for; once more it is the same
step_aside()            what a process does that starts others, each of which takes a place of its own
"""

import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from hydra_callback_kit.devices.grant import GRANT_VARIABLE, Grant, inherited
from hydra_callback_kit.devices.lock_file import LockFile, file_of_claims
from hydra_callback_kit.devices.place import Place, places_of, seen_here
from hydra_callback_kit.devices.ranks import Leader, leader_of
from hydra_callback_kit.devices.too_late import devices_are_fixed
from hydra_callback_kit.devices.wanted import DeviceError, Wanted
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.safe_log import SafeLogger

THREADS_VARIABLE: Final = "OMP_NUM_THREADS"

_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 0.5
_SAID_FIRST_S: Final = 0.5
"""A process that is just ending is worth no word."""
_SAID_AGAIN_S: Final = 300.0

_log = SafeLogger("hydra_callback_kit.device_callback")


class _Holding(NamedTuple):
    """What a process has.

    Attributes:
        wanted: what it asked for.
        place: what it got.
        before: what it has set in the environment said before.
        cores: the cores that it ran on before; None where that cannot be known.
    """

    wanted: Wanted
    place: Place
    before: Mapping[str, str | None]
    cores: frozenset[int] | None


_holdings: Final[dict[int, _Holding]] = {}
"""By process: a forked child has nothing of its own."""
_files: Final[dict[int, LockFile]] = {}
"""By process: the file of claims, for as long as it lives."""


def claim(wanted: Wanted) -> Place:
    """Takes a place, waits for one if none is free, and sets the process up for it: variables, and the cores it runs on.

    A process that has a place of those that are wanted keeps it. One that was started by a process that has a place, and is
    still there, works at that place. So do the ranks of a job on one machine: one of them takes it for all.

    Args:
        wanted: what is to be had.

    Raises:
        DeviceError: if none can be had, or it is too late to change what this process sees.
    """
    held = _holdings.get(os.getpid())
    if held is not None:
        if held.wanted == wanted or _is_one_of(
            held.place, places_of(wanted, wanted.said_here(said_before(wanted.variable)), held.cores)
        ):
            _set_up(wanted, held.place)
            return held.place
        _give_back(held)
    grant = inherited()
    if grant is not None and grant.place is not None:
        return _as_it_is_here(grant.place, grant.variable)
    leader = leader_of(file_of_claims())
    says, cores = wanted.said_here(said_before(wanted.variable)), _cores()
    if leader is not None and not leader.is_here():
        followed = leader.follow(wanted.variable, says)
        if followed is not None:
            _hold(wanted, followed, cores)
            return followed
    place = _take(wanted, _still_possible(wanted, places_of(wanted, says, cores)), leader, says)
    _hold(wanted, place, cores)
    if leader is not None:
        leader.tell(Grant(this_process(), wanted.variable, says, place))
    return place


def places_here(wanted: Wanted) -> list[Place]:
    """The places that processes which this one starts may take.

    Raises:
        DeviceError: if there is none.
    """
    grant = inherited()
    if grant is not None and grant.place is not None:
        return [grant.place]
    held = _holdings.get(os.getpid())
    return places_of(wanted, wanted.said_here(said_before(wanted.variable)), _cores() if held is None else held.cores)


def said_before(variable: str) -> str | None:
    """What a variable says in this process, apart from what a claim has made of it."""
    held = _holdings.get(os.getpid())
    return held.before[variable] if held is not None and variable in held.before else os.environ.get(variable)


def step_aside() -> None:
    """Lets the processes that this one starts take places of their own. What it uses itself remains its own."""
    held = _holdings.get(os.getpid())
    if held is None:
        return
    if devices_are_fixed(held.wanted.variable):
        _restore(held)
    else:
        _give_back(held)


def _is_one_of(place: Place, places: Sequence[Place]) -> bool:
    """By what is claimed, whatever it is called."""
    return any(each.keys == place.keys for each in places)


def _take(wanted: Wanted, places: Sequence[Place], leader: Leader | None, says: str | None) -> Place:
    """Takes the first place that is free, each by one job before any is shared."""
    file = _lock_file()
    pause_s, says_at_s, since_s = _FIRST_PAUSE_S, _SAID_FIRST_S, time.monotonic()
    while True:
        for share in range(wanted.jobs_per_device):
            for place in places:
                if file.take(place.keys, share, wanted.jobs_per_device):
                    if says_at_s > _SAID_FIRST_S:
                        _log.warning("Goes on: it has %s.", _called([place]))
                    return place
        waited_s = time.monotonic() - since_s
        if waited_s >= says_at_s:
            says_at_s = waited_s + _SAID_AGAIN_S
            _say_what_is_waited_for(file, places, waited_s)
            if leader is not None:
                leader.tell(Grant(this_process(), wanted.variable, says, None))
        time.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  so that those who wait do not all ask at once
        pause_s = min(_LONGEST_PAUSE_S, 1.5 * pause_s)
        file = _lock_file()


def _say_what_is_waited_for(file: LockFile, places: Sequence[Place], waited_s: float) -> None:
    holders = sorted({pid for place in places for pid in file.holders(place.keys)})
    by = f" by process{'es' if len(holders) > 1 else ''} {', '.join(map(str, holders))}" if holders else ""
    so_far = f", for {waited_s:.0f} s so far" if waited_s >= _SAID_AGAIN_S else ""
    _log.warning("Waits for %s%s: taken%s.", _called(places), so_far, by)


def _called(places: Sequence[Place]) -> str:
    devices = [place.device for place in places if place.device is not None]
    names = devices or [place.facts()["cores"] for place in places]
    kind = "device" if devices else "cores"
    if len(names) == 1:
        return f"{kind} {names[0]}"
    return f"one of the {'devices' if devices else 'sets of cores'} {' | '.join(names)}"


def _still_possible(wanted: Wanted, places: Sequence[Place]) -> Sequence[Place]:
    """All of them, or those that this process sees already."""
    if wanted.devices is None or not devices_are_fixed(wanted.variable):
        return places
    says, seen = os.environ.get(wanted.variable), seen_here(wanted.variable)
    as_it_is = [place for place in places if place.value == says or (seen and seen <= set(place.keys))]
    if not as_it_is:
        raise DeviceError(
            f"This process has started CUDA before a device was claimed for it, and sees "
            f"{'all GPUs' if says is None else f'{wanted.variable}={says}'}: no variable changes that any more. Let nothing "
            "look for a GPU before the task function runs, torch.cuda.is_available() included; or use a launcher whose jobs "
            "have processes of their own, such as joblib."
        )
    return as_it_is


def _hold(wanted: Wanted, place: Place, cores: frozenset[int] | None) -> None:
    names = (wanted.variable, THREADS_VARIABLE, GRANT_VARIABLE)
    _holdings.clear()
    _holdings[os.getpid()] = _Holding(wanted, place, {name: os.environ.get(name) for name in names}, cores)
    _set_up(wanted, place)


def _set_up(wanted: Wanted, place: Place) -> None:
    """Sets what the place means for this process, if that is not so already."""
    grant = Grant(this_process(), wanted.variable, None, place).as_text()
    as_it_is = os.environ.get(wanted.variable) if place.value is not None else None
    if os.environ.get(GRANT_VARIABLE) == grant and as_it_is == place.value:
        return
    os.environ[GRANT_VARIABLE] = grant
    if place.value is not None:
        os.environ[wanted.variable] = place.value
    if place.cores is not None:
        os.environ[THREADS_VARIABLE] = str(len(place.cores))
        _run_on(place.cores)


def _restore(held: _Holding) -> None:
    """Sets back what `_set_up` has set."""
    for name, before in held.before.items():
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
    if held.place.cores is not None and held.cores is not None:
        _run_on(held.cores)


def _give_back(held: _Holding) -> None:
    if held.place.value is not None and devices_are_fixed(held.wanted.variable):
        raise DeviceError(
            f"This process has started CUDA on device {held.place.device}, and cannot change to another one. Start the app "
            "again for other devices, or use a launcher whose jobs have processes of their own, such as joblib."
        )
    _restore(held)
    _lock_file().give_back()
    del _holdings[os.getpid()]


def _as_it_is_here(place: Place, variable: str) -> Place:
    """A process that was started with another value sees that."""
    says = os.environ.get(variable)
    return place if place.value is None or says in (None, place.value) else place._replace(device=says, value=says)


def _lock_file() -> LockFile:
    """The file, opened anew where another one has got its name; whoever has a lock has that on the old one."""
    pid, path = os.getpid(), file_of_claims()
    file = _files.get(pid)
    if file is None or file.path != path or (pid not in _holdings and not file.is_there()):
        _files.clear()
        file = _files[pid] = LockFile(path)
    return file


def _cores() -> frozenset[int] | None:
    if sys.platform != "linux":
        return None
    return frozenset(os.sched_getaffinity(0))


def _run_on(cores: Sequence[int] | frozenset[int]) -> None:
    """Binds all threads of this process to cores: libraries may have started some as they were imported."""
    if sys.platform == "linux":
        for thread in Path("/proc/self/task").iterdir():
            try:
                os.sched_setaffinity(int(thread.name), cores)
            except ProcessLookupError:  # it has ended since
                continue
