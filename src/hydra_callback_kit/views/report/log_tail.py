"""The last lines of a job's log, without the secrets that are known."""

import os
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.regular_file import open_regular
from hydra_callback_kit.views.output import files_of

MAX_LINES: Final = 100
MAX_BYTES: Final = 1 << 16


class LogTail(NamedTuple):
    """The end of a log.

    Attributes:
        name: the file's name, in the job's directory.
        text: its last lines; empty if they cannot be shown.
        cut: whether there are more before them.
        why_not: why they cannot be shown; empty if they can.
    """

    name: str
    text: str
    cut: bool
    why_not: str = ""


def log_tail(job: JobRecord, redaction: Any = None, secret_keys: Any = None) -> LogTail | None:
    """Reads the end of a job's log.

    Args:
        job: the job.
        redaction: a `Redaction` that knows the secrets of the run; None to learn them from what Hydra has saved.
        secret_keys: the words that make a key secret there, where the record has others than the usual ones.

    Returns:
        None if the job has no log, or it is empty.
    """
    file = None if job.output_dir is None else _log_of(job, job.output_dir)
    if job.output_dir is None or file is None:
        return None
    try:
        with open_regular(file) as log:
            size = os.fstat(log.fileno()).st_size
            log.seek(max(0, size - MAX_BYTES))
            read = log.read(MAX_BYTES)
        if not read.strip():
            return None
        redaction = redaction or _redaction_by_saved_secrets(job.output_dir, secret_keys)
    except OSError as error:
        return LogTail(file.name, "", cut=False, why_not=f"It cannot be read: {error.strerror or error}.")
    except ValueError:
        return LogTail(file.name, "", cut=False, why_not="Nobody knows what is secret in it: .hydra cannot be read.")
    if size > len(read):
        read = read.partition(b"\n")[2]  # the rest of a line
    # a secret may go over several lines
    lines = printable(redaction.of_text(read.decode("utf-8", "replace").replace("\r\n", "\n")).rstrip()).splitlines()
    return LogTail(file.name, "\n".join(lines[-MAX_LINES:]), cut=size > len(read) or len(lines) > MAX_LINES)


def _redaction_by_saved_secrets(directory: Path, secret_keys: Any) -> Any:
    from hydra_callback_kit.configs.saved_secrets import redaction_by_saved_secrets  # noqa: PLC0415  OmegaConf: few pages need it

    return redaction_by_saved_secrets(directory, secret_keys)


def _log_of(job: JobRecord, directory: Path) -> Path | None:
    """Hydra's own name for it, else the log that was written last."""
    usual = directory / f"{job.job_name}.log"
    try:
        if job.job_name and usual.is_file():
            return usual
        captured = {directory / name for name in files_of(job)}
        others = (file for file in directory.glob("*.log") if file not in captured)
        return max(others, key=lambda file: file.stat().st_mtime, default=None)
    except (OSError, ValueError):
        return None
