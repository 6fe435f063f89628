"""Jobs that have left no line and may still come: what a sweep whose process is gone has left in its launcher's queue."""

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.life import BatchId, Lookout, launcher_of, may_outlive

MAX_MISSING: Final = 100_000
"""Jobs that are looked for, where more are said to have been planned."""

_SUBMITTED: Final = "([0-9]{1,18})(?:_([0-9]{1,18}))?"
"""The name of the folder that submitit makes for a job: its id, and its index in an array."""

_SKEW_S: Final = 2.0
"""By how much the clock of a file server may be behind."""


class Queue(NamedTuple):
    """The jobs of a run that have not started, have nobody any more to launch them, and may start all the same.

    Attributes:
        there: the numbers of those that the batch system has.
        perhaps: of those of which nobody knows.
    """

    there: frozenset[int] = frozenset()
    perhaps: frozenset[int] = frozenset()


EMPTY: Final = Queue()


class Launched(NamedTuple):
    """What the record says of a sweep whose process is gone.

    Attributes:
        facts: of the run.
        ids: what the launcher called the jobs that have left a line when they were started first, by their numbers.
        planned: how many jobs there were going to be; None if that is not known.
        started_at: UTC, ISO 8601; None if it is not known.
        cluster: the name of the cluster that a job ran on; None if it is not known.
        is_ended: whether its process has said that it has ended, and was not killed.
    """

    facts: Mapping[str, Any]
    ids: Mapping[int, str | None]
    planned: int | None
    started_at: str | None
    cluster: str | None
    is_ended: bool = False


def queue_of(sweep: Launched, root: Path, lookout: Lookout) -> Queue:
    """Looks what may still be queued of a sweep.

    Args:
        sweep: the sweep, whose process is gone.
        root: its directory.
        lookout: whom to ask.
    """
    whole = sweep.planned is not None and len(sweep.ids) >= sweep.planned
    if whole or "aborted" in sweep.facts or not may_outlive(sweep.facts):
        return EMPTY
    launcher = launcher_of(sweep.facts)
    folders = submitit_folders(root, sweep.started_at) if launcher in ("submitit_local", "submitit_slurm") else []
    if launcher == "submitit_slurm" and sweep.is_ended and not (folders or sweep.ids) and _was_refused(root):
        return EMPTY
    count = len(folders) if sweep.planned is None else min(sweep.planned, MAX_MISSING)
    missing = [num for num in range(count) if num not in sweep.ids]
    if launcher == "submitit_local" and folders and lookout.started_here:
        known = {*sweep.ids.values()}
        waits = any(is_submitit(name) for name in folders if name not in known)
        return Queue(perhaps=frozenset(missing)) if waits else EMPTY
    ids = _slurm_ids(missing, folders, sweep.ids) if launcher == "submitit_slurm" else {}
    there, perhaps = set(), set()
    for num in missing:
        job = ids.get(num, "")
        if job is not None:  # or it was never handed over
            found = lookout.look_up(BatchId(job, cluster=sweep.cluster)) if job else None
            if found is not None and found.state != "gone":
                there.add(num)
            elif found is None and not lookout.assumes_gone:
                perhaps.add(num)
    return Queue(frozenset(there), frozenset(perhaps))


def _slurm_ids(missing: Sequence[int], folders: Sequence[str], ids: Mapping[int, str | None]) -> dict[int, str | None]:
    """What Slurm calls jobs that have left no line; None for one that was not submitted any more."""
    ids = {num: job for num, job in ids.items() if job and re.fullmatch(_SUBMITTED, job)}  # `rerun` has names of its own
    if folders and all(num < len(folders) and folders[num] == job for num, job in ids.items()):
        return {num: folders[num] if num < len(folders) else None for num in missing}
    # they were submitted as one array or several, each of whose jobs have numbers that follow each other
    arrays: dict[int, str] = {}
    for num, job in ids.items():
        array, _, index = (job or "").partition("_")
        if index:
            arrays[num - int(index)] = array
    found: dict[int, str | None] = {}
    for num in missing:
        first = max((start for start in arrays if start <= num), default=None)
        if first is not None:
            found[num] = f"{arrays[first]}_{num - first}"
    return found


def submitit_folders(root: Path, started_at: str | None = None) -> list[str]:
    """The ids of the jobs that submitit has handed over since a sweep started, in the order of their numbers.

    Args:
        root: the sweep's directory.
        started_at: UTC, ISO 8601; None for all that were ever handed over.
    """
    since = 0.0 if started_at is None else datetime.fromisoformat(started_at).timestamp() - _SKEW_S
    found: list[tuple[int, int]] = []
    with contextlib.suppress(OSError), os.scandir(root / ".submitit") as entries:
        for entry in entries:
            named = re.fullmatch(_SUBMITTED, entry.name)
            with contextlib.suppress(OSError):  # vanished, or another user's
                if named and entry.stat().st_mtime >= since:
                    found.append((int(named[1]), -1 if named[2] is None else int(named[2])))
    arrays = {array for array, index in found if index >= 0}  # an array's script lies in a folder of its own
    return [f"{job}_{index}" if index >= 0 else str(job) for job, index in sorted(found) if index >= 0 or job not in arrays]


def _was_refused(root: Path) -> bool:
    """Whether what submitit has written to be submitted lies there still: it is moved into the job's folder then."""
    with contextlib.suppress(OSError):
        return any((root / ".submitit").glob("submission_file_*.sh"))
    return False


def is_submitit(pid: str) -> bool:
    """Whether a process of this machine is one that submitit starts for a job, or may be."""
    try:
        os.kill(int(pid), 0)
        return b"submitit" in Path("/proc", pid, "cmdline").read_bytes()
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
