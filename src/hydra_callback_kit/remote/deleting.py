"""Deletes what was sent: only what is there as it lies here, in a job's own directory, through no link."""

import contextlib
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.written import USUAL
from hydra_callback_kit.remote.patterns import is_meant
from hydra_callback_kit.remote.tree import LocalFile, inside, journal_apart

_STAYS: Final = ("*.log", *USUAL)
"""What is not deleted here: it is small, and people, the commands and the report read it."""


def deletable(root: Path, place: str, kept: Sequence[str]) -> list[LocalFile]:
    """The files of a job that may be deleted here, as they are now: not the journal, nor what people and commands read.

    Args:
        root: the run's directory.
        place: the job's directory in it; others are left alone, and nothing is reached through a link.
        kept: globs of what stays besides.
    """
    logs, stays = _open_logs(), (*_STAYS, *kept)
    files = journal_apart(root, place)
    return [
        file for file in files if not is_meant(inside(file.name, place), stays) and str(file.path.absolute()) not in logs
    ]


def delete(files: Iterable[LocalFile]) -> int:
    """Deletes files.

    Args:
        files: the files.

    Returns:
        How many were deleted.
    """
    count = 0
    for file in files:
        with contextlib.suppress(OSError):
            file.path.unlink()
            count += 1
    return count


def _open_logs() -> set[str]:
    """The files that this process logs to."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    handlers = [handler for logger in loggers for handler in getattr(logger, "handlers", ())]
    return {str(Path(handler.baseFilename).absolute()) for handler in handlers if isinstance(handler, logging.FileHandler)}
