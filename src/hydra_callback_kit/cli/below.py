"""The runs below a folder: found by the names of their files, and read one by one, as far as somebody asks for them."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import click

from hydra_callback_kit.cli.screen import say, warn
from hydra_callback_kit.journal.finder import enclosing_run, run_directories
from hydra_callback_kit.journal.format import CAPTURED_OUTPUT, CONFIGS
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.reader import is_run_id, read_runs, run_ids
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.remote.mark import NOT_WHOLE, is_half_a_copy

NOT_LISTED: Final = (*CONFIGS, CAPTURED_OUTPUT, "config_as_written", "files", "cpu_s", "peak_rss_bytes")
"""Facts that no list of runs shows, and that are most of a journal."""


class NothingToShowError(click.ClickException):
    """There is nothing to show; the message says what was looked for."""

    exit_code = 1


class Found(NamedTuple):
    """A run that was found.

    Attributes:
        run_id: the run.
        directory: where its journal lies.
    """

    run_id: str
    directory: Path


def found_below(folder: Path) -> list[Found]:
    """The runs at a folder and below it, newest first. No journal is read, only what its files are called.

    Args:
        folder: where to look.

    Raises:
        NothingToShowError: if there is none.
    """
    start = without_link(folder)
    found = [Found(run_id, directory) for directory in run_directories(start) for run_id in _run_ids(directory)]
    half = next(filter(is_half_a_copy, run_directories(start)), None) if not found else None
    if half is not None:
        raise NothingToShowError(f"{half} {NOT_WHOLE}")
    if not found:
        above = enclosing_run(folder)
        hint = f"It lies inside the run {above}: give that path." if above else "Was one of the callbacks on?"
        where = start if folder.name in ("", "..") else folder
        raise NothingToShowError(
            f"No run recorded by hydra-callback-kit (a directory that holds .callbacks/*.jsonl) at or below {where}. {hint}"
        )
    return sorted(found, key=lambda each: (is_run_id(each.run_id), each.run_id), reverse=True)


def directories_of(found: Iterable[Found]) -> list[Path]:
    """The directories of runs, each once, in the order of the runs."""
    return list(dict.fromkeys(each.directory for each in found))


def read_found(found: Sequence[Found], sight: Sight) -> Iterator[RunRecord]:
    """Reads runs, each directory when its first run is wanted, without what no list shows.

    Args:
        found: the runs, in the order in which they are wanted.
        sight: what can be found out about processes.
    """
    oldest = min((each.run_id for each in found), default="")
    known: dict[Path, dict[str, RunRecord]] = {}
    for run_id, directory in found:
        if directory not in known:
            runs = read_runs(directory, sight=sight, without=NOT_LISTED, since=oldest)
            known[directory] = {run.run_id: run for run in runs}
        if run_id in known[directory]:
            yield known[directory].pop(run_id)


def latest_here() -> Path:
    """The directory of the run that is meant where no path is given, which is said on stderr.

    Returns:
        The current folder's run if it holds one; else that of the latest run below; else that of the run it lies in.

    Raises:
        NothingToShowError: if there is none.
    """
    here = Path.cwd()
    if holds_runs(here):
        say("The run of this folder: .", err=True)
        return here
    try:
        latest = found_below(here)[0].directory
    except NothingToShowError:
        above = enclosing_run(here)
        if above is None or not holds_runs(above):
            raise NothingToShowError(
                f"No run recorded by hydra-callback-kit below {here}, which lies in none either. Give the path of a run, or "
                "go to the directory that the app is started in."
            ) from None
        say(f"The run that this folder lies in: {os.path.relpath(above)}", err=True)
        return above
    say(f"The latest run here: {os.path.relpath(latest)}", err=True)
    return latest


def holds_runs(directory: Path) -> bool:
    """Whether a directory holds runs that can be read."""
    try:
        return bool(run_ids(directory)) and not is_half_a_copy(directory)
    except OSError:
        return False


def without_link(path: Path) -> Path:
    """The absolute path, and of a link where it leads: `latest` will lead elsewhere, and what is printed is used later."""
    start = Path(os.path.abspath(path))  # noqa: PTH100  `..` must go
    return Path(os.path.abspath(start.parent / start.readlink())) if start.is_symlink() else start  # noqa: PTH100  the same


def _run_ids(directory: Path) -> list[str]:
    """The runs of a directory; one whose journal may not be looked into is named, and has none; nor has half a copy."""
    try:
        return [] if is_half_a_copy(directory) else run_ids(directory)
    except OSError as error:
        warn(f"The journal in {directory} cannot be read: {error.strerror or error}")
        return []
