"""The lines of a journal as they stand in its files, for whoever looks for a few of them and needs no record."""

import contextlib
import functools
import itertools
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.fold import number_of_attempt
from hydra_callback_kit.journal.format import JOURNAL_DIR, MAX_LINE
from hydra_callback_kit.journal.line import BrokenLineError, parse_line
from hydra_callback_kit.journal.regular_file import open_regular, start_of_regular
from hydra_callback_kit.journal.values import from_json

_CHUNK: Final = 1 << 16
"""Bytes that are read at once of what is not wanted, or looked at for what a line is about."""

_SMALL: Final = 1 << 18
"""Bytes of a file that is read at once."""


def files_of_run(root: Path, run_id: str) -> list[Path]:
    """The files of a run's journal, by their names; see `run_ids`."""
    return files_by_run(root).get(run_id, [])


def files_by_run(root: Path) -> dict[str, list[Path]]:
    """The journal's files of each run, the runs and their files in the order of their names."""
    journal = root / JOURNAL_DIR
    return {run_id: [journal / name for name in names] for run_id, names in names_by_run(root).items()}


def names_by_run(root: Path) -> dict[str, list[str]]:
    """What these files are called."""
    try:
        # whatever they are: a pipe by such a name is named as what cannot be read
        with os.scandir(os.path.join(root, JOURNAL_DIR)) as entries:  # noqa: PTH118  a list of runs needs thousands
            names = sorted(entry.name for entry in entries if entry.name.endswith(".jsonl"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    named: dict[str, list[str]] = {}
    for name in names:
        named.setdefault(name.partition(".")[0], []).append(name)
    return named


def facts_in(root: Path, name: str) -> Iterator[Any]:
    """Every value of one fact that a directory's journal states, of runs and of jobs; other lines are not parsed.

    What cannot be read states nothing.

    Args:
        root: the directory that holds the journal.
        name: the fact's name.
    """
    quoted = json.dumps(name).encode("ascii")
    for file in itertools.chain.from_iterable(files_by_run(root).values()):
        with contextlib.suppress(OSError):  # another user's, say
            for _, text, _ in lines_in(file):
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
    for file in files_by_run(root).get(run_id, ()):
        with contextlib.suppress(OSError):
            for _, line, _ in lines_in(file):
                if sought in line[:_CHUNK]:
                    with contextlib.suppress(BrokenLineError):
                        parsed = parse_line(line)
                        if parsed["run"] == run_id:
                            yield parsed


def latest_facts(root: Path, run_id: str, name: str, jobs: Collection[int]) -> dict[int | None, Any]:
    """The last value that a run's journal states of a fact, of the run itself and of some of its jobs.

    Lines of other jobs, and those without the fact, are not parsed. What cannot be read states nothing.

    Args:
        root: the directory that holds the journal.
        run_id: the run.
        name: the fact's name.
        jobs: the jobs' numbers.

    Returns:
        The value by the job's number, and that of the run under None, where there is one.
    """
    quoted, known = json.dumps(name).encode("ascii"), {None, *jobs}
    sought = [b'"event":"run_', *(f'"job":{num},'.encode("ascii") for num in jobs)]
    found: dict[int | None, tuple[str, Any]] = {}
    for file in files_by_run(root).get(run_id, ()):
        with contextlib.suppress(OSError):
            for _, text, _ in lines_in(file):
                if quoted in text and any(each in text[:_CHUNK] for each in sought):
                    with contextlib.suppress(BrokenLineError):
                        line = parse_line(text)
                        job, at = line.get("job"), line["time"]
                        if (
                            line["run"] == run_id
                            and job in known
                            and name in line["facts"]
                            and at >= found.get(job, ("",))[0]
                        ):
                            found[job] = at, line["facts"][name]
    return {job: from_json(value) for job, (_, value) in found.items()}


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
    for file in files_by_run(root).get(run_id, ()):
        with contextlib.suppress(OSError):
            for _, text, _ in lines_in(file):
                if sought in text:
                    with contextlib.suppress(BrokenLineError):
                        line = parse_line(text)
                        if line.get("job") == job_num and line["attempt"] != but:
                            number = number_of_attempt(line["facts"])
                            numbers[line["attempt"]] = max(number, numbers.get(line["attempt"], 1))
    return max(len(numbers), *numbers.values(), 0)


def says_something(file: Path) -> bool:
    """Whether a line of it can be read."""
    with contextlib.suppress(OSError):
        for _, text, _ in lines_in(file):
            with contextlib.suppress(BrokenLineError):
                parse_line(text)
                return True
    return False


def lines_in(file: Path) -> Iterator[tuple[int, bytes, bool]]:
    """The lines that are not empty, with their number and whether they end: a process killed as it wrote leaves half one.

    Of a line that is too long its beginning is taken for all of it.
    """
    start = start_of_regular(file, _SMALL)
    if len(start) < _SMALL:  # that is all
        *whole, torn = start.split(b"\n")
        yield from ((number, text, True) for number, text in enumerate(whole, start=1) if text)
        if torn:
            yield len(whole) + 1, torn, False
        return
    with open_regular(file) as journal:
        for number, line in enumerate(iter(functools.partial(journal.readline, MAX_LINE), b""), start=1):
            text = line.rstrip(b"\n")
            if len(line) == MAX_LINE and not line.endswith(b"\n"):
                yield number, text, True
                while (rest := journal.readline(_CHUNK)) and not rest.endswith(b"\n"):
                    pass
            elif text:
                yield number, text, line.endswith(b"\n")
