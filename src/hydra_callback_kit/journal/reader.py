"""The journal's reader: every line that is intact becomes part of a record, every other one is named."""

import contextlib
import functools
import itertools
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.fold import RunFold, number_of_attempt
from hydra_callback_kit.journal.format import JOURNAL_DIR, MAX_LINE, JournalNotFoundError
from hydra_callback_kit.journal.life import HERE, Sight
from hydra_callback_kit.journal.line import BrokenLineError, parse_line
from hydra_callback_kit.journal.records import BrokenLine, RunRecord
from hydra_callback_kit.journal.regular_file import open_regular
from hydra_callback_kit.journal.values import from_json


def read_run(
    root: Path,
    run_id: str | None = None,
    *,
    without: Collection[str] = (),
    sight: Sight = HERE,
    has_ended: bool = False,
) -> RunRecord:
    """Reads one run from its journal.

    Args:
        root: the run's root directory.
        run_id: which run; None for the latest.
        without: names of facts that are left out; a large one such as `config` is most of a record.
        sight: what can be found out about processes.
        has_ended: whether the caller knows that the run has ended; the journal may not say so, where it could not be
            written. A job without an end that cannot outlive the run is INTERRUPTED then, not RUNNING.

    Returns:
        The run's record.

    Raises:
        JournalNotFoundError: if there is no such run.
        OSError: if the journal's directory cannot be read.
    """
    files = _files_by_run(root)
    # files that somebody copied or merged: what their lines say of a run counts
    odd = [file for name in list(files) if not _NAMED_BY_US.fullmatch(name) for file in files[name]]
    folds: dict[str, RunFold] = {}
    broken: list[BrokenLine] = []
    _read(odd, folds, broken, without)
    wanted = _latest(files, folds) if run_id is None else run_id
    if wanted is None or wanted not in {*files, *folds}:
        raise JournalNotFoundError(root, sorted({*files, *folds}))
    folds.setdefault(wanted, RunFold(wanted, without))
    _read([file for file in files.get(wanted, ()) if file not in odd], folds, broken, without)
    return folds[wanted].record(root, broken, sight, has_ended=has_ended)


def _latest(files: Mapping[str, Sequence[Path]], folds: Collection[str]) -> str | None:
    """The latest run of which a line can be read; else the last by its name."""
    by_name = [name for name in files if _NAMED_BY_US.fullmatch(name)]
    for run_id in sorted({*by_name, *folds}, reverse=True):
        if run_id in folds or any(map(_says_something, files[run_id])):
            return run_id
    return max(by_name or files, default=None)


_NAMED_BY_US: Final = re.compile("[0-9]{8}T[0-9]{6,12}-[0-9a-f]+")
"""What comes before the first dot in the name of a file that the writer has made: its run."""

_CHUNK: Final = 1 << 16
"""Bytes that are read at once of what is not wanted, or looked at for what a line is about."""


class Journal(NamedTuple):
    """What a directory's journal holds.

    Attributes:
        runs: all runs, the latest last.
        broken_lines: its lines that could not be read.
    """

    runs: list[RunRecord]
    broken_lines: list[BrokenLine]


def read_journal(root: Path, *, sight: Sight = HERE) -> Journal:
    """Reads all that a directory's journal holds, which is nothing where there is none.

    Args:
        root: the directory that holds the journal.
        sight: what can be found out about processes.

    Raises:
        OSError: if the journal's directory cannot be read.
    """
    files = _files_by_run(root)
    folds = {run_id: RunFold(run_id) for run_id in files if _NAMED_BY_US.fullmatch(run_id)}
    broken: list[BrokenLine] = []
    _read(itertools.chain.from_iterable(files.values()), folds, broken)
    return Journal([folds[run_id].record(root, broken, sight) for run_id in sorted(folds)], broken)


def read_runs(root: Path, *, sight: Sight = HERE) -> list[RunRecord]:
    """Reads all runs of a directory, the latest last; an empty list if there is none: see `read_journal`."""
    return read_journal(root, sight=sight).runs


def facts_in(root: Path, name: str) -> Iterator[Any]:
    """Every value of one fact that a directory's journal states, of runs and of jobs; other lines are not parsed.

    What cannot be read states nothing.

    Args:
        root: the directory that holds the journal.
        name: the fact's name.
    """
    quoted = json.dumps(name).encode("ascii")
    for file in itertools.chain.from_iterable(_files_by_run(root).values()):
        with contextlib.suppress(OSError):  # another user's, say
            for _, text, _ in _lines(file):
                if quoted in text:
                    with contextlib.suppress(BrokenLineError):
                        facts = parse_line(text)["facts"]
                        if name in facts:
                            yield from_json(facts[name])


def lines_with(root: Path, run_id: str, text: str) -> Iterator[dict[str, Any]]:
    """A run's lines in whose beginning a text stands, as they are written; other lines are not parsed.

    Args:
        root: the directory that holds the journal.
        run_id: the run.
        text: such as `"event":"job_started"`; empty for all lines.
    """
    sought = text.encode("ascii")
    for file in _files_by_run(root).get(run_id, ()):
        with contextlib.suppress(OSError):
            for _, line, _ in _lines(file):
                if sought in line[:_CHUNK]:
                    with contextlib.suppress(BrokenLineError):
                        parsed = parse_line(line)
                        if parsed["run"] == run_id:
                            yield parsed


def attempts_at(root: Path, run_id: str, job_num: int, but: str | None = None) -> int:
    """How often a job was started, as far as the journal knows; lines of other jobs are not parsed.

    Args:
        root: the directory that holds the journal.
        run_id: the run.
        job_num: the job's number.
        but: an attempt that does not count.
    """
    sought = f'"job":{job_num},'.encode("ascii")
    numbers: dict[str, int] = {}
    for file in _files_by_run(root).get(run_id, ()):
        with contextlib.suppress(OSError):
            for _, text, _ in _lines(file):
                if sought in text:
                    with contextlib.suppress(BrokenLineError):
                        line = parse_line(text)
                        if line.get("job") == job_num and line["attempt"] != but:
                            number = number_of_attempt(line["facts"])
                            numbers[line["attempt"]] = max(number, numbers.get(line["attempt"], 1))
    return max(len(numbers), *numbers.values(), 0)


def run_ids(root: Path) -> list[str]:
    """The ids of the runs that left a journal in a directory, the latest last.

    Raises:
        OSError: if the journal's directory cannot be read.
    """
    files = _files_by_run(root)
    folds: dict[str, RunFold] = {}
    odd = [name for name in files if not _NAMED_BY_US.fullmatch(name)]
    _read([file for name in odd for file in files[name]], folds, [], ("config",))
    # a directory whose journal says nothing still has one
    return sorted({*(name for name in files if name not in odd), *folds}) or odd


def last_run_id(root: Path) -> str:
    """The last of the runs that are named by the journal's files; empty if there is none, or none that can be seen."""
    with contextlib.suppress(OSError):
        return max(filter(_NAMED_BY_US.fullmatch, _files_by_run(root)), default="")
    return ""


def files_of_run(root: Path, run_id: str) -> list[Path]:
    """The files of a run's journal, by their names; see `run_ids`."""
    return _files_by_run(root).get(run_id, [])


def _files_by_run(root: Path) -> dict[str, list[Path]]:
    """The journal's files of each run, the runs and their files in the order of their names."""
    journal = root / JOURNAL_DIR
    try:
        # whatever they are: a pipe by such a name is named as what cannot be read
        with os.scandir(journal) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".jsonl"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    files: dict[str, list[Path]] = {}
    for name in names:
        files.setdefault(name.partition(".")[0], []).append(journal / name)
    return files


def _says_something(file: Path) -> bool:
    """Whether a line of it can be read."""
    with contextlib.suppress(OSError):
        for _, text, _ in _lines(file):
            with contextlib.suppress(BrokenLineError):
                parse_line(text)
                return True
    return False


def _read(files: Iterable[Path], folds: dict[str, RunFold], broken: list[BrokenLine], without: Collection[str] = ()) -> None:
    for file in files:
        try:
            _read_file(file, folds, broken, without)
        except OSError as error:  # another user's, say; the rest is read
            broken.append(BrokenLine(file, 1, error.strerror or str(error)))


def _read_file(file: Path, folds: dict[str, RunFold], broken: list[BrokenLine], without: Collection[str]) -> None:
    torn: tuple[bytes, BrokenLine] | None = None
    for number, text, complete in _lines(file):
        if torn is not None:
            # where the disk was full for a moment, the writer has written the line again, as the next one
            if not text.startswith(torn[0]):
                broken.append(torn[1])
            torn = None
        try:
            line = parse_line(text)
        except BrokenLineError as error:
            if complete:
                torn = text, BrokenLine(file, number, str(error))
            continue
        if line["run"] not in folds:
            folds[line["run"]] = RunFold(line["run"], without)
        folds[line["run"]].add(line)
    if torn is not None:
        broken.append(torn[1])


def _lines(file: Path) -> Iterator[tuple[int, bytes, bool]]:
    """The lines that are not empty, with their number and whether they end: a process killed as it wrote leaves half one.

    Of a line that is too long its beginning is taken for all of it.
    """
    with open_regular(file) as journal:
        for number, line in enumerate(iter(functools.partial(journal.readline, MAX_LINE), b""), start=1):
            text = line.rstrip(b"\n")
            if len(line) == MAX_LINE and not line.endswith(b"\n"):
                yield number, text, True
                while (rest := journal.readline(_CHUNK)) and not rest.endswith(b"\n"):
                    pass
            elif text:
                yield number, text, line.endswith(b"\n")
