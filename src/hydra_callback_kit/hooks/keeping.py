"""What a sweep's jobs need not keep that others have done better than: found in the journal, deleted, and put on record."""

import functools
import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.objectives import sweep_directions
from hydra_callback_kit.hooks.deleting import Clearing, Spared
from hydra_callback_kit.hooks.globs import Globs
from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.outcomes import CLEARED, Outcome, Outcomes
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import journal_file, write_line
from hydra_callback_kit.views.direction import Best, direction_of
from hydra_callback_kit.views.kept_best import Deleted, Standing, standing, sum_in_words, value_of

SPARED: Final = (
    *("*.log", ".hydra", JOURNAL_DIR, ".submitit", "metrics.jsonl", "resources*.csv"),
    *("tensorboard", "wandb", "mlruns"),
)
"""Names that Hydra, launchers, trackers and callbacks of this package have for what they write in a job's directory."""


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


def look(config: DictConfig, kept: Kept) -> Found:
    """Reads how the jobs of a sweep stand.

    Args:
        config: the config of any hook.
        kept: what is kept.
    """
    run = identify_run(config)
    outcomes = _outcomes(run.root, run.run_id, kept.metric)
    with outcomes.lock:
        doubt = ""
        try:
            outcomes.look()
        except OSError as error:  # a job may run again by what cannot be read
            doubt = f"the journal cannot be read: {error}"
        others = outcomes.of_other_runs()
        if others and not doubt:
            doubt = f"the directory holds another run as well ({', '.join(others[-3:])}), whose files may be among them"
        ended = outcomes.ended()
        return Found(
            standing(ended, kept.direction(config), kept.keep),
            doubt,
            outcomes.directories(),
            any(each.value is not None for each in ended),
        )


def delete(config: DictConfig, kept: Kept, found: Found, log: SafeLogger, *, again: bool = False) -> None:
    """Deletes what the worse jobs need not keep, and puts on record what it was.

    Args:
        config: the config of any hook.
        kept: what is kept.
        found: how the jobs stand.
        log: the callback's logger.
        again: whether it is tried again where not all could be deleted.
    """
    run, mode = identify_run(config), kept.direction(config)
    outcomes = _outcomes(run.root, run.run_id, kept.metric)
    for outcome in found.standing.worse:
        if outcome.cleared or (outcome.cleared is None and not again):
            continue
        clearing = clearing_of(config, kept.what, outcome, found, for_real=True)
        left = 1  # as long as it is not done: Ctrl-C may come
        try:
            _clear(run, clearing, outcome)
            left = len(clearing.errors)
        finally:
            if clearing.found or clearing.errors:
                _put_on_record(run, outcome, clearing, left)
                outcomes.was_cleared(outcome.job_num, outcome.attempt, left=left > 0)
        if clearing.files:
            than = "" if outcome.value is None else f", with {kept.metric} {outcome.value:.6g} ({mode})"
            what = sum_in_words([Deleted(clearing.files, clearing.size_bytes)])
            log.info("Deleted %s of job %d%s: %d did better", what, outcome.job_num, than, kept.keep)
        if clearing.errors:
            log.caution("Not all that job %d has left could be deleted: %s", outcome.job_num, clearing.errors[0])


def would_delete(config: DictConfig, what: Sequence[str], found: Found) -> dict[int, Deleted]:
    """Counts what `delete` would delete; it deletes nothing.

    Args:
        config: the config of any hook.
        what: globs for it.
        found: how the jobs stand.
    """
    counted: dict[int, Deleted] = {}
    for outcome in found.standing.worse:
        clearing = clearing_of(config, what, outcome, found, for_real=False)
        _clear(identify_run(config), clearing, outcome)
        if clearing.files:
            counted[outcome.job_num] = Deleted(clearing.files, clearing.size_bytes)
    return counted


def clearing_of(config: DictConfig, what: Sequence[str], outcome: Outcome, found: Found, *, for_real: bool) -> Clearing:
    """What is to be deleted of a job, and what is not.

    Args:
        config: the config of any hook.
        what: globs for what is deleted.
        outcome: the job.
        found: how the jobs stand.
        for_real: whether it is deleted, or only counted.
    """
    subdir = config.hydra.get("output_subdir")
    hydras = {subdir} if isinstance(subdir, str) else set()
    ours = {glob.escape(PurePosixPath(name).parts[0]) for name in outcome.written if name not in ("", ".")}
    spared = Spared(
        (*SPARED, *map(glob.escape, hydras), *ours, *_log_files(config)),
        found.directories,
        (JOURNAL_DIR, ".hydra", *hydras),
    )
    return Clearing(Globs(what), spared, for_real=for_real)


def _clear(run: RunIdentity, clearing: Clearing, outcome: Outcome) -> None:
    if outcome.directory is not None and outcome.over:
        clearing.clear(run.root, outcome.directory, f"{JOURNAL_DIR}/{journal_file(run).name}")


def _put_on_record(run: RunIdentity, outcome: Outcome, clearing: Clearing, left: int) -> None:
    deleted = Deleted(clearing.files, clearing.size_bytes)._asdict()
    fact = {**deleted, "attempt": outcome.attempt, "left": left}
    write_line(run, "run_facts", {f"{CLEARED}{os.urandom(4).hex()}": {str(outcome.job_num): fact}})


def _log_files(config: DictConfig) -> list[str]:
    """Globs for the names of the files that Hydra's logging writes, where they do not end in `.log`."""
    logging = config.hydra.get("job_logging")
    written: Any = OmegaConf.to_container(logging, resolve=False) if OmegaConf.is_dict(logging) else {}
    handlers = written.get("handlers")
    names = []
    for handler in handlers.values() if isinstance(handlers, dict) else ():
        file = handler.get("filename") if isinstance(handler, dict) else None
        if isinstance(file, str):
            name = re.sub(r"\$\{[^{}]*\}", "*", file).rpartition("/")[2]
            names += [] if set(name) <= {"*"} else [name]
    return names


@functools.lru_cache(maxsize=4)
def _outcomes(root: Path, run_id: str, metric: str) -> Outcomes:
    """One for all jobs that run one after another in a process: each look reads only what is new."""
    return Outcomes(root, run_id, functools.partial(value_of, metric))
