"""How the jobs of a run have ended, and what they have left: of each its last attempt, read as the journal grows."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple, TypeAlias

from hydra_callback_kit.journal.follower import RunFollower
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.journal_lines import names_by_run
from hydra_callback_kit.journal.line import BrokenLineError, parse_line
from hydra_callback_kit.journal.metric import Metric, metrics_in
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.values import as_text, from_json
from hydra_callback_kit.journal.written import names_in

ValueOf: TypeAlias = "Callable[[Any, Mapping[str, Metric]], float | None]"
"""Tells what a job is judged by, given what it returned and what it reported."""

_TOLD_BY: Final = tuple(
    f'"event":"{event}"'.encode("ascii") for event in ("job_started", "job_ended", "rank_started", "rank_ended")
)
CLEARED: Final = "kept_best_"
"""How the facts of a run begin that say of which jobs something was deleted: one of each process that has deleted something.

Each is a mapping from a job's number to `files`, `size_bytes`, the `attempt`, and `left`: how much could not be deleted.
"""
LOG_FILES: Final = "log_files"
"""The fact of a job that names its log files, where they do not end in `.log`: they may not be deleted."""
_FACTS: Final = (b'"files":', b'"tensorboard":', f'"{LOG_FILES}":'.encode("ascii"), f'"{CLEARED}'.encode("ascii"))
"""What else is looked for: the facts of a job that name what callbacks of this package have written there, and these."""


class Outcome(NamedTuple):
    """A job that has ended by itself: it completed, or a search has pruned it.

    Attributes:
        job_num: which job.
        attempt: its last attempt.
        value: what it is judged by; None if it has no such number, or was pruned.
        pruned: whether it was pruned.
        directory: its output directory relative to the run's root; None where it lies elsewhere, is the root itself, or is
            another job's as well: `doubt` says which it is.
        host: the machine that it ran on.
        written: the names of the files, and the directories, that callbacks of this package have written in its directory.
        cleared: whether somebody has deleted already what need not be kept; None if not all of it could be.
        doubt: why nothing of it may be deleted; empty if it may: its directory is not its own, or a rank has not ended.
        log_files: the names of the log files that it wrote, where they do not end in `.log`.
    """

    job_num: int
    attempt: str
    value: float | None
    pruned: bool
    directory: PurePosixPath | None
    host: str | None
    written: Collection[str] = ()
    cleared: bool | None = False
    doubt: str = ""
    log_files: Collection[str] = ()


@dataclass(slots=True)
class _Told:
    """What the lines of an attempt tell besides."""

    directory: PurePosixPath = field(default_factory=PurePosixPath)
    host: str | None = None
    ended_at: str = ""
    value: float | None = None
    world_size: int = 1
    ranks: set[int] = field(default_factory=set)
    ranks_ended: set[int] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    cleared: bool | None = False
    log_files: set[str] = field(default_factory=set)


class Outcomes(RunFollower):
    """How the jobs of a run have ended so far.

    Args:
        root: where the journal lies.
        run_id: which run.
        value_of: what a job is judged by, given what it returned and reported.
    """

    def __init__(self, root: Path, run_id: str, value_of: ValueOf) -> None:
        super().__init__(root, run_id)
        self._value_of = value_of
        self.lock = threading.Lock()
        """Held by the thread that looks, where jobs run in several of a process."""
        self._of_run = run_id
        self._told: dict[tuple[int, str], _Told] = {}
        self._jobs_in: dict[PurePosixPath, set[int]] = {}
        self._known: dict[int, Outcome] = {}
        self._unsettled: dict[int, Outcome] = {}
        self._touched: set[int] = set()
        self._without_jobs: dict[str, bool] = {}

    def of_other_runs(self) -> list[str]:
        """The ids of the other runs in the same directory; those are left out that are over and never had a job."""
        others = [run_id for run_id in names_by_run(self._root) if run_id != self._of_run]
        return [run_id for run_id in others if not self._had_no_job(run_id)]

    def _had_no_job(self, run_id: str) -> bool:
        if run_id not in self._without_jobs:
            run = read_run(self._root, run_id, without=CONFIGS)
            unknown = run.elsewhere or run.handed_on or run.broken_lines
            if not run.jobs and (not run.over or run.status == "RUNNING" or unknown):
                return False  # one may still come
            self._without_jobs[run_id] = not run.jobs
        return self._without_jobs[run_id]

    def directories(self) -> frozenset[PurePosixPath]:
        """The directories of all jobs, whatever has become of them, relative to the run's root if they lie below it."""
        return frozenset(self._jobs_in)

    def was_cleared(self, job_num: int, attempt: str, *, left: bool) -> None:
        """Notes that what need not be kept of a job was deleted; the journal may not say so, where it cannot be written.

        Args:
            job_num: the job.
            attempt: its last attempt.
            left: whether something could not be.
        """
        told = self._told.setdefault((job_num, attempt), _Told())
        told.cleared = told.cleared or (None if left else True)
        self._touched.add(job_num)

    def ended(self) -> list[Outcome]:
        """The jobs that have ended by themselves, by their last attempts, in the order of their numbers."""
        self._tell_again_of_what_is_new()
        return [self._known[num] for num in sorted(self._known)]

    def unsettled(self) -> list[Outcome]:
        """Those of them that were not cleared, in the same order: few, however many have ended."""
        self._tell_again_of_what_is_new()
        return [self._unsettled[num] for num in sorted(self._unsettled)]

    def _tell_again_of_what_is_new(self) -> None:
        for num in self._touched:
            self._known.pop(num, None)
            self._unsettled.pop(num, None)
            outcome = self._outcome(num)
            if outcome is not None:
                self._known[num] = outcome
                if not outcome.cleared:
                    self._unsettled[num] = outcome
        self._touched.clear()

    def _outcome(self, num: int) -> Outcome | None:
        last, failed = (self._by_status.get(status, {}).get(num) for status in ("COMPLETED", "FAILED"))
        if failed is not None and failed.pruned:
            last = failed
        if last is None:
            return None
        attempt = next(name for name, job in self._attempts[num].items() if job is last)
        told = self._told.get((num, attempt), _Told())
        shared = len(self._jobs_in.get(told.directory, ())) > 1
        doubt = _doubt_of(told.directory) or ("its directory is another job's as well" if shared else "")
        over = told.ranks <= told.ranks_ended and len(told.ranks_ended) >= told.world_size - 1
        return Outcome(
            num,
            attempt,
            None if last.pruned else told.value,
            last.pruned,
            None if doubt else told.directory,
            told.host,
            told.written,
            told.cleared,
            doubt or ("" if over else "not all of its ranks have ended"),
            told.log_files,
        )

    def _add(self, text: bytes, file: str) -> None:
        super()._add(text, file)
        tells = any(event in text[:200] for event in _TOLD_BY) or any(name in text for name in _FACTS)
        if not tells:
            return
        try:
            line = parse_line(text)
        except BrokenLineError:
            return
        if "job" in line:
            self._touched.add(line["job"])
            self._tell(self._told.setdefault((line["job"], line["attempt"]), _Told()), line)
        else:
            self._clear(line["facts"])

    def _tell(self, told: _Told, line: dict[str, Any]) -> None:
        event, facts = line["event"], line["facts"]
        size = facts.get("world_size")
        told.world_size = max(told.world_size, size if type(size) is int else 1)
        if event == "rank_started":
            told.ranks.add(line["rank"])
        elif event == "rank_ended":
            told.ranks_ended.add(line["rank"])
        elif event == "job_started":
            told.directory, told.host = PurePosixPath(as_text(facts.get("output_dir")).replace("\0", "")), line["host"]
            jobs = self._jobs_in.setdefault(told.directory, set())
            jobs.add(line["job"])
            if len(jobs) > 1:  # which is news of each of them
                self._touched |= jobs
        elif event == "job_ended" and line["time"] >= told.ended_at:
            told.ended_at = line["time"]
            told.value = self._value_of(from_json(facts.get("return_value")), metrics_in(from_json(facts.get("metrics"))))
        told.written.update(names_in(facts))
        log_files = facts.get(LOG_FILES)
        told.log_files.update(map(as_text, log_files) if isinstance(log_files, list) else ())

    def _clear(self, facts: Mapping[str, Any]) -> None:
        for name, fact in facts.items():
            for num, cleared in fact.items() if name.startswith(CLEARED) and isinstance(fact, dict) else ():
                if num.isdecimal() and isinstance(cleared, dict):
                    self.was_cleared(int(num), as_text(cleared.get("attempt")), left=bool(cleared.get("left")))


def _doubt_of(directory: PurePosixPath) -> str:
    """Why nothing can be deleted in a job's directory, as it is on record; empty where it lies below the run's."""
    if directory.is_absolute() or ".." in directory.parts:
        return "its directory lies outside of the sweep's"
    return "" if directory.parts else "its directory is the sweep's own, or not known"
