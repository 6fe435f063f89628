"""The journal's reader: every line that is intact becomes part of a record, every other one is named."""

import contextlib
import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from hydra_callback_kit.journal.fold import RunFold
from hydra_callback_kit.journal.format import CONFIGS, GATHERED, JOURNAL_DIR, JournalNotFoundError
from hydra_callback_kit.journal.journal_lines import files_by_run, files_of_run, lines_in, names_by_run, says_something
from hydra_callback_kit.journal.life import HERE, Sight
from hydra_callback_kit.journal.line import BrokenLineError, parse_line
from hydra_callback_kit.journal.metric_growth import growth_of
from hydra_callback_kit.journal.records import BrokenLine, RunRecord


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
    files = files_by_run(root)
    # files that somebody copied or merged: what their lines say of a run counts
    odd = [file for name in list(files) if not is_run_id(name) for file in files[name]]
    folds: dict[str, RunFold] = {}
    broken: list[BrokenLine] = []
    _read(odd, folds, broken, without)
    wanted = _latest(files, folds) if run_id is None else run_id
    if wanted is None or wanted not in {*files, *folds}:
        raise JournalNotFoundError(root, sorted({*files, *folds}))
    folds.setdefault(wanted, RunFold(wanted, without))
    _read([file for file in files.get(wanted, ()) if file not in odd], folds, broken, without)
    return _with_metrics(folds[wanted].record(root, broken, sight, has_ended=has_ended))


def _with_metrics(run: RunRecord) -> RunRecord:
    """Sums up what jobs have reported that have not done so themselves: they run, or were killed."""
    for job in run.jobs:
        if job.metrics_file is not None and not job.metrics:
            growth = growth_of(job)
            job.metrics = {} if growth is None else growth.metrics
    return run


def _latest(files: Mapping[str, Sequence[Path]], folds: Collection[str]) -> str | None:
    """The latest run of which a line can be read; else the last by its name."""
    by_name = [name for name in files if is_run_id(name)]
    for run_id in sorted({*by_name, *folds}, reverse=True):
        if run_id in folds or any(map(says_something, files[run_id])):
            return run_id
    return max(by_name or files, default=None)


_NAMED_BY_US: Final = re.compile("[0-9]{8}T[0-9]{6,12}-[0-9a-f]+")
"""What comes before the first dot in the name of a file that the writer has made: its run."""


def is_run_id(name: str) -> bool:
    """Whether a name is a run's, as the writer makes them: the time of its start in UTC, and what tells it apart."""
    return _NAMED_BY_US.fullmatch(name) is not None


class Journal(NamedTuple):
    """What a directory's journal holds.

    Attributes:
        runs: all runs, the latest last.
        broken_lines: its lines that could not be read.
    """

    runs: list[RunRecord]
    broken_lines: list[BrokenLine]


def read_journal(root: Path, *, sight: Sight = HERE, without: Collection[str] = (), since: str = "") -> Journal:
    """Reads all that a directory's journal holds, which is nothing where there is none.

    Args:
        root: the directory that holds the journal.
        sight: what can be found out about processes.
        without: names of facts that are left out. A line that adds facts, the first of which is one of them, is not parsed.
        since: what a run's id must not come before, such as `20260301`: the files of older runs are not read.

    Raises:
        OSError: if the journal's directory cannot be read.
    """
    files = {run_id: its for run_id, its in files_by_run(root).items() if run_id >= since or not is_run_id(run_id)}
    folds = {run_id: RunFold(run_id, without) for run_id in files if is_run_id(run_id)}
    broken: list[BrokenLine] = []
    _read(itertools.chain.from_iterable(files.values()), folds, broken, without, skims=True)
    return Journal([_with_metrics(folds[run_id].record(root, broken, sight)) for run_id in sorted(folds)], broken)


def read_runs(root: Path, *, sight: Sight = HERE, without: Collection[str] = (), since: str = "") -> list[RunRecord]:
    """Reads all runs of a directory, the latest last; an empty list if there is none: see `read_journal`."""
    return read_journal(root, sight=sight, without=without, since=since).runs


def run_ids(root: Path) -> list[str]:
    """The ids of the runs that left a journal in a directory, the latest last.

    Raises:
        OSError: if the journal's directory cannot be read.
    """
    named = names_by_run(root)
    odd = [name for name in named if not is_run_id(name)]
    folds: dict[str, RunFold] = {}
    _read([root / JOURNAL_DIR / file for name in odd for file in named[name]], folds, [], CONFIGS)
    # a directory whose journal says nothing still has one
    return sorted({*(name for name in named if name not in odd), *folds}) or odd


def last_run_id(root: Path) -> str:
    """The last of the runs that are named by the journal's files; empty if there is none, or none that can be seen."""
    with contextlib.suppress(OSError):
        return max(filter(is_run_id, names_by_run(root)), default="")
    return ""


def _read(
    files: Iterable[Path],
    folds: dict[str, RunFold],
    broken: list[BrokenLine],
    without: Collection[str] = (),
    *,
    skims: bool = False,
) -> None:
    unread = tuple(f'{name}"'.encode("ascii") for name in without) if skims else ()
    listed = list(files)
    left, seen = listed[::-1], set[Path]()
    while left:
        file = left.pop()
        try:
            _read_file(file, folds, broken, without, unread)
        except FileNotFoundError as error:
            # it became part of another one since it was listed, see `gathering`
            seen = seen or set(listed)  # which most reading needs not
            others = set(files_of_run(file.parent.parent, file.name.partition(".")[0])) - seen
            left += sorted(others)
            seen |= others
            if not others and not any(each.name.partition(".")[2].startswith(GATHERED) for each in seen):
                broken.append(BrokenLine(file, 1, error.strerror or str(error)))
        except OSError as error:  # another user's, say; the rest is read
            broken.append(BrokenLine(file, 1, error.strerror or str(error)))


def _read_file(
    file: Path, folds: dict[str, RunFold], broken: list[BrokenLine], without: Collection[str], unread: tuple[bytes, ...]
) -> None:
    torn: tuple[bytes, BrokenLine] | None = None
    for number, text, complete in lines_in(file):
        if torn is not None:
            # where the disk was full for a moment, the writer has written the line again, as the next one
            if not text.startswith(torn[0]):
                broken.append(torn[1])
            torn = None
        if unread and text.startswith(unread, text.find(_FACTS) + len(_FACTS)) and _is_of_facts(text):
            continue
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


_FACTS: Final = b'"facts":{"'
"""What comes before the first fact of a line."""


def _is_of_facts(text: bytes) -> bool:
    """Whether a line looks whole, and adds facts to a run or a job without any other event."""
    return text.endswith(b"}}") and re.match(_EVENT, text) is not None


_EVENT: Final = rb'[^{]*\{"v":1,"time":"[^"]*","run":"[^"]*","event":"(?:run|job)_facts"'
