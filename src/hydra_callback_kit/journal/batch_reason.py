"""Why Slurm has ended a job: what its accounting says, and what it wrote into the job's own log."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.batch_system import answer_of
from hydra_callback_kit.journal.regular_file import open_regular

MAX_ASKED: Final = 1000
"""Jobs that are asked for at once: the words of a command have a bound."""

_TELLING: Final = ("CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED", "DEADLINE", "BOOT_FAIL")
"""States that say why a job ended; the others say what is on record anyway."""

_ID: Final = re.compile("[0-9]{1,18}(?:_[0-9]{1,18})?")
_NAME: Final = re.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_TAIL: Final = 1 << 16
"""Bytes at the end of a log in which its reason stands."""

_SAID: Final = re.compile(
    r"^.*(?:\*\*\* (?:JOB|STEP) \S+ ON \S+ CANCELLED AT |out of memory|oom.kill|exceeded .*memory limit).*$",
    re.MULTILINE | re.IGNORECASE,
)
_BY_SLURM: Final = re.compile("slurmstepd|srun|slurmd")
_AT: Final = re.compile(r"CANCELLED AT ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8})")
_SKEW: Final = timedelta(minutes=1)


def reasons(jobs: Collection[str], cluster: str | None) -> dict[str, str]:
    """Asks Slurm's accounting for jobs, in one call that is not waited for for long. Never raises.

    Args:
        jobs: their ids: `12`, or `12_3` by an array's id and the index. What is no such id is left out.
        cluster: the name of the cluster that they were jobs of; None for that of this machine.

    Returns:
        The state of each of which it says why it ended: `TIMEOUT`, `CANCELLED by 1000`.
    """
    asked = sorted(filter(_ID.fullmatch, jobs))[:MAX_ASKED]
    if not asked:
        return {}
    if cluster is not None and not _NAME.fullmatch(cluster):
        return {}
    where = [f"--clusters={cluster}"] if cluster else []
    said = answer_of("sacct", "-X", "-P", *where, "-o", "JobID,State", "-j", ",".join(asked))
    head, *rows = [line.split("|") for line in (said or "").splitlines()] or [[]]
    if not {"JobID", "State"} <= set(head):
        return {}
    found = {
        row["JobID"]: row["State"].strip() for row in (dict(zip(head, each, strict=False)) for each in rows) if len(row) > 1
    }
    return {job: found[job] for job in asked if found.get(job, "").startswith(_TELLING)}


def said_in(log: Path, since: datetime | None) -> str:
    """What Slurm wrote into a log of why it ended the job: the last such line; empty if there is none. Never raises.

    Args:
        log: the log, to which a job that is started again appends.
        since: when the job was started last; None if it is not known.
    """
    try:
        with open_regular(log) as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL))
            text = file.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.strip() for line in _SAID.findall(text) if _BY_SLURM.search(line) and not _is_older(line, since)]
    return lines[-1] if lines else ""


def _is_older(line: str, since: datetime | None) -> bool:
    at = _AT.search(line)
    try:
        return at is not None and since is not None and datetime.fromisoformat(at[1]).astimezone() < since - _SKEW
    except (ValueError, OverflowError, OSError):
        return False
