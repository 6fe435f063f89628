"""What a sweep's jobs need not keep that others have done better than: found in the journal, deleted, and put on record."""

import functools
import glob
import os
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.objectives import sweep_directions
from hydra_callback_kit.hooks.deleting import Clearing, MayGoOn
from hydra_callback_kit.hooks.globs import Globs
from hydra_callback_kit.hooks.log_files import log_files_of
from hydra_callback_kit.hooks.spared import Spared
from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.outcomes import CLEARED, Outcome, Outcomes
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import journal_file, write_line
from hydra_callback_kit.journal.written import USUAL
from hydra_callback_kit.views.direction import Best, direction_of
from hydra_callback_kit.views.kept_best import Deleted, Standing, standing, sum_in_words, value_of

SPARED: Final = (
    *("*.log", "*.log.*", ".hydra", "config.yaml", "hydra.yaml", "overrides.yaml", JOURNAL_DIR, ".submitit"),
    *USUAL,
)
"""Names that Hydra, launchers, trackers and callbacks of this package have for what they write in a job's directory."""
_MARKS: Final = (".hydra", "hydra.yaml")
"""What Hydra writes in a job's directory, and in the one below it that `hydra.output_subdir` names."""
_RECORDED_EVERY_S: Final = 0.5
"""Seconds after which it is put on record how far a deletion has come."""


class Kept(NamedTuple):
    """What is kept.

    Attributes:
        metric: what jobs are judged by.
        mode: which value is the best; None for what can be known.
        keep: how many jobs keep what they left.
        what: globs for what the others do not keep.
    """

    metric: str
    mode: Best | None
    keep: int
    what: tuple[str, ...]

    def direction(self, config: DictConfig) -> Best:
        """Which value is the best.

        Args:
            config: the config of any hook.
        """
        return direction_of({"directions": sweep_directions(config)}, self.metric, self.mode)


class Found(NamedTuple):
    """How the jobs of a sweep stand by its journal.

    Attributes:
        standing: which jobs are the best, and which are worse.
        doubt: why nothing may be deleted; empty if it may.
        directories: the directories of all jobs.
        any_value: whether a job has the metric.
    """

    standing: Standing
    doubt: str
    directories: frozenset[PurePosixPath]
    any_value: bool


def look(config: DictConfig, kept: Kept, *, at_all: bool = False) -> Found:
    """Reads how the jobs of a sweep stand.

    Args:
        config: the config of any hook.
        kept: what is kept.
        at_all: whether all are looked at. Else those are left out that were cleared, for others did better than they: what
            a job's end costs does not grow with the jobs before it.
    """
    run = identify_run(config)
    outcomes = _outcomes(run.root, run.run_id, kept.metric)
    with outcomes.lock:
        doubt, others = "", []
        try:
            outcomes.look()
            others = outcomes.of_other_runs()
        except OSError as error:  # a job may run again by what cannot be read
            doubt = f"the journal cannot be read: {error}"
        if others:
            doubt = f"the directory holds another run as well ({', '.join(others[-3:])}), whose files may be among them"
        ended = outcomes.ended() if at_all else outcomes.unsettled()
        return Found(
            standing(ended, kept.direction(config), kept.keep),
            doubt,
            outcomes.directories(),
            any(each.value is not None for each in ended),
        )


def delete(config: DictConfig, kept: Kept, found: Found, log: SafeLogger, *, again: bool = False) -> dict[int, str]:
    """Deletes what the worse jobs need not keep, and puts on record what it was.

    Args:
        config: the config of any hook.
        kept: what is kept.
        found: how the jobs stand.
        log: the callback's logger.
        again: whether it is tried again where not all could be deleted.

    Returns:
        Why something of a job was left that matches, by the job's number.
    """
    run, mode = identify_run(config), kept.direction(config)
    outcomes = _outcomes(run.root, run.run_id, kept.metric)
    doubts: dict[int, str] = {}
    for outcome in found.standing.worse:
        if outcome.cleared or (outcome.cleared is None and not again):
            continue
        deletion = _Deletion(config, kept, outcome)
        clearing = clearing_of(config, kept.what, outcome, found, deletion.may_go_on)
        left = 1  # as long as it is not done: Ctrl-C may come
        try:
            _clear(run, clearing, outcome)
            left = len(clearing.errors) + bool(clearing.doubt)
        finally:
            if clearing.found or clearing.errors or (clearing.doubt and not outcome.doubt):
                deletion.put_on_record(clearing, left)
                outcomes.was_cleared(outcome.job_num, outcome.attempt, left=left > 0)
        if clearing.doubt:
            doubts[outcome.job_num] = clearing.doubt
        if clearing.files:
            than = "" if outcome.value is None else f", with {kept.metric} {outcome.value:.6g} ({mode})"
            what = sum_in_words([Deleted(clearing.files, clearing.size_bytes)])
            log.info("Deleted %s of job %d%s: %d did better", what, outcome.job_num, than, kept.keep)
        if clearing.errors:
            log.caution("Not all that job %d has left could be deleted: %s", outcome.job_num, clearing.errors[0])
    return doubts


def would_delete(config: DictConfig, what: Sequence[str], found: Found) -> tuple[dict[int, Deleted], dict[int, str]]:
    """Counts what `delete` would delete; it deletes nothing.

    Args:
        config: the config of any hook.
        what: globs for it.
        found: how the jobs stand.

    Returns:
        What it would be of each job, and why something of it would be left that matches, both by the job's number.
    """
    counted: dict[int, Deleted] = {}
    doubts: dict[int, str] = {}
    for outcome in found.standing.worse:
        clearing = clearing_of(config, what, outcome, found)
        _clear(identify_run(config), clearing, outcome)
        if clearing.files:
            counted[outcome.job_num] = Deleted(clearing.files, clearing.size_bytes)
        if clearing.doubt:
            doubts[outcome.job_num] = clearing.doubt
    return counted, doubts


def clearing_of(
    config: DictConfig, what: Sequence[str], outcome: Outcome, found: Found, may_go_on: MayGoOn | None = None
) -> Clearing:
    """What is to be deleted of a job, and what is not.

    Args:
        config: the config of any hook.
        what: globs for what is deleted.
        outcome: the job.
        found: how the jobs stand.
        may_go_on: is asked before something is deleted, and every so often; None where it is only counted.
    """
    ours = {glob.escape(PurePosixPath(name).parts[0]) for name in outcome.written if name not in ("", ".")}
    logs = (each for name in map(glob.escape, outcome.log_files) for each in (name, f"{name}.*"))
    names = (*SPARED, *ours, *logs, *log_files_of(config))
    since = identify_run(config).started_s
    return Clearing(Globs(what), Spared(names, found.directories, _MARKS, JOURNAL_DIR, since), may_go_on)


class _Deletion:
    """What is asked and put on record while something of a job is deleted: a job may start in its directory meanwhile.

    Args:
        config: the config of any hook.
        kept: what is kept.
        outcome: the job.
    """

    def __init__(self, config: DictConfig, kept: Kept, outcome: Outcome) -> None:
        self._config = config
        self._kept = kept
        self._outcome = outcome
        self._fact = f"{CLEARED}{os.urandom(4).hex()}"
        self._recorded_s = -_RECORDED_EVERY_S

    def may_go_on(self, clearing: Clearing) -> str:
        """Tells why it may not go on, by what the journal says now; empty if it may.

        Args:
            clearing: the deletion.
        """
        found, last = look(self._config, self._kept), self._outcome
        now = next(
            (each for each in found.standing.worse if (each.job_num, each.attempt) == (last.job_num, last.attempt)), None
        )
        why_not = found.doubt or ("it has started again" if now is None else now.doubt)
        if not why_not:
            clearing.jobs_are_in(each for each in found.directories if each != last.directory)
            if time.monotonic() - self._recorded_s > _RECORDED_EVERY_S:
                self.put_on_record(clearing, left=1)
        return why_not

    def put_on_record(self, clearing: Clearing, left: int) -> None:
        """Says how far it has come: before the first file, and then in steps, for the process may be killed.

        Args:
            clearing: the deletion.
            left: how much was left; 1 as long as it goes on.
        """
        self._recorded_s = time.monotonic()
        deleted = Deleted(clearing.files, clearing.size_bytes)._asdict()
        fact = {**deleted, "attempt": self._outcome.attempt, "left": left}
        write_line(identify_run(self._config), "run_facts", {self._fact: {str(self._outcome.job_num): fact}})


def _clear(run: RunIdentity, clearing: Clearing, outcome: Outcome) -> None:
    if outcome.directory is None or outcome.doubt:
        clearing.doubt = outcome.doubt
    else:
        clearing.clear(run.root, outcome.directory, f"{JOURNAL_DIR}/{journal_file(run).name}")


@functools.lru_cache(maxsize=4)
def _outcomes(root: Path, run_id: str, metric: str) -> Outcomes:
    """One for all jobs that run one after another in a process: each look reads only what is new."""
    return Outcomes(root, run_id, functools.partial(value_of, metric))
