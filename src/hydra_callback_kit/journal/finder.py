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
        inside, holds_journal = look_into(directory)
        if holds_journal:
            yield Path(directory)
        waiting += sorted(inside, reverse=True)


def enclosing_run(path: Path) -> Path | None:
    """Finds the nearest directory above that holds a journal: a job's directory was given in place of its sweep's."""
    return next((parent for parent in path.absolute().parents if (parent / JOURNAL_DIR).is_dir()), None)


def look_into(directory: str) -> tuple[list[str], bool]:
    """Looks into a directory.

    Args:
        directory: the directory.

    Returns:
        The directories in it that may lead to runs, and whether it holds a journal itself.
    """
    inside, holds_journal = [], False
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                name = entry.name
                if name == JOURNAL_DIR:
                    holds_journal = entry.is_dir()
                elif not name.startswith(".") and name not in _NEVER_OUTPUT and entry.is_dir(follow_symlinks=False):
                    inside.append(entry.path)
    except OSError:  # vanished, or not ours to read
        holds_journal = os.path.isdir(os.path.join(directory, JOURNAL_DIR))  # noqa: PTH112, PTH118  as elsewhere here
    return inside, holds_journal
