"""Deletes what was sent: only what is there as it lies here, in a job's own directory, through no link."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.written import USUAL
from hydra_callback_kit.remote.patterns import is_meant
from hydra_callback_kit.remote.tree import LocalFile, inside, journal_apart

_STAYS: Final = ("*.log", *USUAL)
"""What is not deleted here: it is small, and people, the commands and the report read it."""


def delete(root: Path, files: Sequence[LocalFile], place: str, kept: Sequence[str]) -> int:
    """Deletes files here that are there, and have not changed since. The journal stays, and what people and commands read.

    Args:
        root: the run's directory.
        files: those that are there.
        place: the job's directory in it; others are left alone.
        kept: globs of what stays besides.

    Returns:
        How many were deleted.
    """
    logs, count = _open_logs(), 0
    now = {file.name: file for file in journal_apart(root, place)}  # through no link
    for file in files:
        is_same = now.get(file.name) == file
        if is_same and not is_meant(inside(file.name, place), (*_STAYS, *kept)) and str(file.path.absolute()) not in logs:
            try:
                file.path.unlink()
            except OSError:
                continue
            count += 1
    return count


def _open_logs() -> set[str]:
    """The files that this process logs to."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    handlers = [handler for logger in loggers for handler in getattr(logger, "handlers", ())]
    return {str(Path(handler.baseFilename).absolute()) for handler in handlers if isinstance(handler, logging.FileHandler)}
