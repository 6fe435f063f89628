"""Who has a directory: each run that starts claims its root, and of two that start at once exactly one gets the claim.

Claims are numbered files that are made once and never changed: the one with the highest number holds. Making a file that
must not exist yet is a single step on every file system, NFS included.
"""

import contextlib
import json
import os
import re
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.process import ProcessIdentity, this_process, user_name

_NAME: Final = re.compile(r"claim-([0-9]+)\.json")


_PAUSES_S: Final = (0.01, 0.05, 0.2)
"""How long is waited before a claim that cannot be read is read again."""


class ClaimNotReadableError(OSError):
    """A directory is claimed, and who has claimed it cannot be read.

    Attributes:
        file: the claim.
    """

    def __init__(self, file: Path, reason: Exception) -> None:
        text = f"{file} cannot be read ({reason}), so the directory may be another run's. Remove that file if it is not"
        super().__init__(text)
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
        batch_job: the batch system's job that the process belongs to, and how often it was requeued; None without one.
    """

    run_id: str
    user: str
    host: str
    pid: int
    born: str | None
    command: str
    claimed_at: str
    batch_job: tuple[str, int] | None

    @property
    def process(self) -> ProcessIdentity:
        """The process that made it."""
        return ProcessIdentity(self.host, self.pid, self.born)

    def is_requeue_of(self, earlier: "Claim") -> bool:
        """Tells whether the batch system has started the same job again."""
        mine, theirs = self.batch_job, earlier.batch_job
        return mine is not None and theirs is not None and mine[0] == theirs[0] and mine[1] > theirs[1]


def claim_of(run: RunIdentity, command: list[str]) -> Claim:
    """Makes out the claim of a run of this process.

    Args:
        run: the run.
        command: the command line, secrets redacted.
    """
    process = this_process()
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Claim(
        run.run_id, user_name() or "?", process.host, process.pid, process.born, shlex.join(command), now, _batch_job()
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
    while True:
        number, holder = _holder(root)
        if holder is not None and holder.run_id == claim.run_id:
            return True
        if not is_free(holder):
            return False
        (root / JOURNAL_DIR).mkdir(parents=True, exist_ok=True)  # a file of that name is an error, not another's claim
        with contextlib.suppress(FileExistsError):
            _write(root / JOURNAL_DIR / f"claim-{number + 1}.json", claim)
            return True


def _holder(root: Path) -> tuple[int, Claim | None]:
    """The highest number, and the claim that has it.

    Raises:
        ClaimNotReadableError: if that claim cannot be read: it is somebody's all the same.
    """
    numbers = [int(named[1]) for file in (root / JOURNAL_DIR).glob("claim-*.json") if (named := _NAME.fullmatch(file.name))]
    if not numbers:
        return 0, None
    number = max(numbers)
    file = root / JOURNAL_DIR / f"claim-{number}.json"
    for pause_s in (*_PAUSES_S, None):
        try:
            return number, _read(file)
        except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
            if pause_s is None:
                raise ClaimNotReadableError(file, error) from error
            time.sleep(pause_s)  # half of it is seen where another process is just writing it
    raise AssertionError  # the last pass returns or raises


def _read(file: Path) -> Claim:
    read = json.loads(file.read_text("utf-8"))
    batch_job = read.pop("batch_job")
    return Claim(**read, batch_job=None if batch_job is None else (str(batch_job[0]), int(batch_job[1])))


def _write(file: Path, claim: Claim) -> None:
    """Whole or not at all: written under another name first, which then becomes a second name of the claim."""
    text = json.dumps(asdict(claim), indent=2) + "\n"
    temporary = file.with_name(f".{file.name}.{os.urandom(4).hex()}.tmp")
    try:
        temporary.write_text(text, "utf-8")
        try:
            os.link(temporary, file)
        except FileExistsError:
            raise
        except OSError:  # a file system without links: a reader may then see half a claim for a moment
            with file.open("x", encoding="utf-8") as written:
                written.write(text)
    finally:
        temporary.unlink(missing_ok=True)


def _batch_job() -> tuple[str, int] | None:
    """Slurm counts how often it has requeued a job; a job of an array has an id of its own."""
    job = os.environ.get("SLURM_JOB_ID")
    restarts = os.environ.get("SLURM_RESTART_COUNT", "0")
    return (job, int(restarts) if restarts.isdigit() else 0) if job else None
