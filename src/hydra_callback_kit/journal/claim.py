"""Who has a directory: each run that starts claims its root, and of two that start at once exactly one gets the claim.

Claims are numbered files that are made once and never changed: the one with the highest number holds. A claim that cannot
be read is somebody's.
"""

import json
import os
import re
import shlex
import stat
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.batch_job import Start, this_start
from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.new_file import write_new_file
from hydra_callback_kit.journal.process import ProcessIdentity, this_process, user_name

_NAME: Final = re.compile(r"claim-([1-9][0-9]*)\.json")

_MOST_DIGITS: Final = 15
"""Of a claim's number: nobody has ever run so often in one directory, and a name cannot be of any length."""

_MOST_BYTES: Final = 16_000_000
"""Of a claim: a command line is far shorter."""

_PAUSES_S: Final = (0.01, 0.05, 0.2, 0.5)
"""How long is waited before a claim that cannot be read is read again."""


class ClaimNotReadableError(OSError):
    """A directory is claimed, or may be, and who has claimed it cannot be read.

    Attributes:
        file: the claim, or the directory of the claims.
    """

    def __init__(self, file: Path, reason: Exception) -> None:
        why = getattr(reason, "strerror", None) or str(reason)
        what_to_do = "Remove that file if it is not"
        if isinstance(reason, OSError) and not isinstance(reason, NotADirectoryError):
            owner = _owner(file)
            why += f"; it belongs to {owner}" if owner else ""
            what_to_do = f"Ask {owner or 'who made it'}, or make it readable"
        super().__init__(f"{file} cannot be read ({why}), so the directory may be another run's. {what_to_do}")
        self.file = file


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run leaves to say that a directory is its own.

    Attributes:
        run_id: the run.
        user: who started it.
        host: the machine.
        pid: the process.
        born: what the operating system says of the process's start; None where it says nothing.
        command: the command line, secrets redacted.
        claimed_at: UTC, ISO 8601.
        start: what starts the process again by itself, and how often it has; None if nothing does.
    """

    run_id: str
    user: str
    host: str
    pid: int
    born: str | None
    command: str
    claimed_at: str
    start: Start | None

    @property
    def process(self) -> ProcessIdentity:
        """The process that made it."""
        return ProcessIdentity(self.host, self.pid, self.born)

    def is_restart_of(self, earlier: "Claim") -> bool:
        """Tells whether a batch system, or torchrun, has started the same again, and what was started before has ended."""
        mine, theirs = self.start, earlier.start
        return mine is not None and theirs is not None and mine.is_another_of(theirs) and mine.follows_for_certain(theirs)


def claim_of(run: RunIdentity, command: list[str]) -> Claim:
    """Makes out the claim of a run of this process.

    Args:
        run: the run.
        command: the command line, secrets redacted.
    """
    process = this_process()
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Claim(
        run.run_id, user_name() or "?", process.host, process.pid, process.born, shlex.join(command), now, this_start()
    )


def lay_claim(root: Path, claim: Claim, is_free: Callable[[Claim | None], bool]) -> bool:
    """Claims a directory.

    Args:
        root: the directory.
        claim: what to leave there.
        is_free: tells whether the directory may be claimed, given the claim that holds (None if there is none).

    Returns:
        Whether the directory is claimed now; it is not where `is_free` said no.

    Raises:
        OSError: if the claim cannot be written, or the one that holds cannot be read.
    """
    taken = 0
    while True:
        number, holder = _holder(root / JOURNAL_DIR, taken)
        if holder is not None and holder.run_id == claim.run_id:
            return True
        if not is_free(holder):
            return False
        (root / JOURNAL_DIR).mkdir(parents=True, exist_ok=True)  # a file of that name is an error, not another's claim
        try:
            text = json.dumps(asdict(claim), indent=2) + "\n"
            write_new_file(root / JOURNAL_DIR / _name_of(number + 1), text.encode("ascii"))
        except FileExistsError:
            taken = number + 1  # a listing, on NFS say, may yet be without it
        else:
            return True


def _holder(journal: Path, taken: int) -> tuple[int, Claim | None]:
    """The highest number, and the claim that has it.

    Args:
        journal: the directory of the claims.
        taken: a number that somebody is known to have, whether or not it is listed.

    Raises:
        ClaimNotReadableError: if that claim, or the directory, cannot be read: it is somebody's all the same.
    """
    for pause_s in (*_PAUSES_S, None):
        number = max(_highest(journal), taken)
        if not number:
            return 0, None
        file = journal / _name_of(number)
        try:
            return number, _read(file)
        except (OSError, ValueError, RecursionError) as error:
            if pause_s is None:
                raise ClaimNotReadableError(file, error) from error
            if isinstance(error, FileNotFoundError):
                taken = 0  # it was removed since
            time.sleep(pause_s)  # half of it is seen where another process is just writing it
    raise AssertionError  # the last pass returns or raises


def _highest(journal: Path) -> int:
    """The highest number of a claim; 0 if there is none, which a directory that cannot be listed does not say."""
    try:
        names = os.listdir(journal)  # noqa: PTH208  the names are all that is asked for
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise ClaimNotReadableError(journal, error) from error
    numbers = (named[1] for named in map(_NAME.fullmatch, names) if named)
    highest = max(numbers, key=lambda number: (len(number), number), default="0")
    if len(highest) > _MOST_DIGITS:
        raise ClaimNotReadableError(journal / f"claim-{highest}.json", ValueError("no claim has so high a number"))
    return int(highest)


def _name_of(number: int) -> str:
    return f"claim-{number}.json"


def _read(file: Path) -> Claim:
    """Reads a claim.

    Raises:
        OSError: if it cannot be opened; a link is not followed.
        ValueError: if it is not what `lay_claim` writes.
    """
    status = file.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:  # nobody waits for the other end of a FIFO
        raise ValueError("it is no claim")
    return _parse(file.read_bytes())


_SHAPE: Final[dict[str, tuple[type, ...]]] = {
    "run_id": (str,),
    "user": (str,),
    "host": (str,),
    "pid": (int,),
    "born": (str, type(None)),
    "command": (str,),
    "claimed_at": (str,),
    "start": (list, type(None)),
}


def _parse(text: bytes) -> Claim:
    read = json.loads(text.decode("utf-8"))
    if type(read) is not dict or read.keys() != _SHAPE.keys():
        raise ValueError("it is no claim, or half of one")
    start = read.pop("start")
    if any(type(value) not in _SHAPE[key] for key, value in read.items()) or not 0 < read["pid"] < 2**31:
        raise ValueError("it is no claim")
    if start is not None and ([type(part) for part in start] != [str, list] or {*map(type, start[1])} - {int}):
        raise ValueError("it is no claim")
    return Claim(**read, start=None if start is None else Start(start[0], tuple(start[1])))


def _owner(file: Path) -> str | None:
    try:
        return file.owner()
    except (OSError, KeyError, NotImplementedError):
        return None
