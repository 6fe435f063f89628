"""The journal's reader: every line that is intact becomes part of a record, every other one is named."""

import contextlib
import itertools
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra_callback_kit.journal.fold import IsAlive, RunFold, number_of_attempt
from hydra_callback_kit.journal.format import JOURNAL_DIR, SCHEMA_VERSION, JournalNotFoundError
from hydra_callback_kit.journal.process import is_alive as is_process_alive
from hydra_callback_kit.journal.records import BrokenLine, RunRecord
from hydra_callback_kit.journal.values import from_json


class BrokenLineError(ValueError):
    """A line of the journal is not what the writer writes."""


def read_run(
    root: Path,
    run_id: str | None = None,
    *,
    without: Collection[str] = (),
    is_alive: IsAlive = is_process_alive,
    has_ended: bool = False,
) -> RunRecord:
    """Reads one run from its journal.

    Args:
        root: the run's root directory.
        run_id: which run; None for the latest.
        without: names of facts that are left out; a large one such as `config` is most of a record.
        is_alive: tells whether a process still runs.
        has_ended: whether the caller knows that the run has ended; the journal may not say so, where it could not be
            written. A job without an end is INTERRUPTED then, not RUNNING.

    Returns:
        The run's record.

    Raises:
        JournalNotFoundError: if there is no such run.
    """
    files = _files_by_run(root)
    known = sorted(files)
    if not known or (run_id is not None and run_id not in known):
        raise JournalNotFoundError(root, known)
    wanted = known[-1] if run_id is None else run_id
    folds, broken = _read(files[wanted], {wanted}, without)
    return folds[wanted].record(root, broken, is_alive, has_ended=has_ended)


def read_runs(root: Path, *, is_alive: IsAlive = is_process_alive) -> list[RunRecord]:
    """Reads all runs of a directory, the latest last; an empty list if there is none.

    Args:
        root: the directory that holds the journal.
        is_alive: tells whether a process still runs.
    """
    files = _files_by_run(root)
    folds, broken = _read(itertools.chain.from_iterable(files.values()), files)
    return [folds[run_id].record(root, broken, is_alive) for run_id in sorted(folds)]


def facts_in(root: Path, name: str) -> Iterator[Any]:
    """Every value of one fact that a directory's journal states, of runs and of jobs; other lines are not parsed.

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


def attempts_at(root: Path, run_id: str, job_num: int) -> int:
    """How often a job was started, as far as the journal knows; lines of other jobs are not parsed.

    Args:
        root: the directory that holds the journal.
        run_id: the run.
        job_num: the job's number.
    """
    sought = f'"job":{job_num},'.encode("ascii")
    numbers: dict[str, int] = {}
    for file in _files_by_run(root).get(run_id, ()):
        with contextlib.suppress(OSError):
            for _, text, _ in _lines(file):
                if sought in text:
                    with contextlib.suppress(BrokenLineError):
                        line = parse_line(text)
                        if line.get("job") == job_num:
                            number = number_of_attempt(line["facts"])
                            numbers[line["attempt"]] = max(number, numbers.get(line["attempt"], 1))
    return max(len(numbers), *numbers.values(), 0)


def run_ids(root: Path) -> list[str]:
    """The ids of the runs that left a journal in a directory, the latest last."""
    return list(_files_by_run(root))


def parse_line(text: bytes) -> dict[str, Any]:
    """Parses one line and checks that it has the shape that the writer gives it.

    Args:
        text: the line, without its newline.

    Raises:
        BrokenLineError: if it has not; the message says what is wrong.
    """
    try:
        line, end = _DECODER.raw_decode(text.decode("utf-8"))
        if end != len(text):  # white space, which is harmless, or worse; or not ASCII, which the writer never writes
            line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenLineError(f"not JSON: {error}") from error
    if type(line) is not dict:
        raise BrokenLineError("not a JSON object")
    # most of what is read is intact: the names and types are gone through one by one only when something is wrong
    if tuple(map(type, map(line.get, _SHAPE))) not in _INTACT:
        for key, kinds in _SHAPE.items():
            if key not in line or type(line[key]) not in kinds:
                raise BrokenLineError(f"{key!r} is missing or of the wrong type")
    if line["v"] != SCHEMA_VERSION:
        raise BrokenLineError(f"schema version {line['v']}, but this release reads version {SCHEMA_VERSION}")
    if not _is_time(line["time"]):
        raise BrokenLineError("'time' is no time in UTC")
    if "job" in line and (type(line["job"]) is not int or type(line.get("attempt")) is not str):
        raise BrokenLineError("'job' or 'attempt' is missing or of the wrong type")
    return line


_DECODER = json.JSONDecoder()
_SHAPE: dict[str, tuple[type, ...]] = {
    "v": (int,),
    "time": (str,),
    "run": (str,),
    "event": (str,),
    "host": (str,),
    "pid": (int,),
    "born": (str, type(None)),
    "facts": (dict,),
}
_INTACT = {(int, str, str, str, str, int, str, dict)}


# views sort by it as text and write it as a time
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?\+00:00"


def _files_by_run(root: Path) -> dict[str, list[Path]]:
    """The journal's files of each run, the runs and their files in the order of their names."""
    journal = root / JOURNAL_DIR
    try:
        with os.scandir(journal) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".jsonl") and entry.is_file())
    except OSError:
        return {}
    files: dict[str, list[Path]] = {}
    for name in names:
        files.setdefault(name.partition(".")[0], []).append(journal / name)
    return files


def _is_time(text: str) -> bool:
    # as the writer writes it, which is looked at in half the time
    usual = len(text) == 32 and text[4:20:3] == "--T::." and text[26:] == "+00:00"  # noqa: PLR2004  the longest form
    try:
        return (usual or re.fullmatch(_TIME, text) is not None) and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def _read(
    files: Iterable[Path], wanted: Iterable[str], without: Collection[str] = ()
) -> tuple[dict[str, RunFold], list[BrokenLine]]:
    folds = {run_id: RunFold(run_id, without) for run_id in wanted}
    broken: list[BrokenLine] = []
    for file in files:
        try:
            _read_file(file, folds, broken, without)
        except OSError as error:  # another user's, say; the rest is read
            broken.append(BrokenLine(file, 1, error.strerror or str(error)))
    return folds, broken


def _read_file(file: Path, folds: dict[str, RunFold], broken: list[BrokenLine], without: Collection[str]) -> None:
    for number, text, complete in _lines(file):
        try:
            line = parse_line(text)
        except BrokenLineError as error:
            if complete:
                broken.append(BrokenLine(file, number, str(error)))
            continue
        if line["run"] not in folds:
            folds[line["run"]] = RunFold(line["run"], without)
        folds[line["run"]].add(line)


def _lines(file: Path) -> Iterator[tuple[int, bytes, bool]]:
    """The lines that are not empty, with their number and whether they end: a process killed as it wrote leaves half one."""
    with file.open("rb") as journal:
        for number, line in enumerate(journal, start=1):
            text = line.rstrip(b"\n")
            if text:
                yield number, text, line.endswith(b"\n")
