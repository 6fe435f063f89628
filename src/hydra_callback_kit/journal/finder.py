"""Finds the runs below a folder without looking at what else lies there."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.format import JOURNAL_DIR

_NEVER_OUTPUT: Final = frozenset({"__pycache__", "node_modules", "site-packages"})


def run_directories(folder: Path) -> Iterator[Path]:
    """Finds the directories that hold a journal: `folder` itself and those below it, also below another run's directory.

    Hidden directories and links are not entered, and no file is looked at.

    Args:
        folder: where to start.

    Yields:
        The directories, in the order of their names.
    """
    waiting = [os.fspath(folder)]
    while waiting:
        directory = waiting.pop()
        if os.path.isdir(os.path.join(directory, JOURNAL_DIR)):  # noqa: PTH112, PTH118  paths are made only of what is found
            yield Path(directory)
        waiting += sorted(_directories_in(directory), reverse=True)


def enclosing_run(path: Path) -> Path | None:
    """Finds the nearest directory above that holds a journal: a job's directory was given in place of its sweep's."""
    return next((parent for parent in path.absolute().parents if (parent / JOURNAL_DIR).is_dir()), None)


def _directories_in(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return [
                entry.path
                for entry in entries
                if not entry.name.startswith(".") and entry.name not in _NEVER_OUTPUT and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:  # vanished, or not ours to read
        return []
