"""Lines that a job could not write where the sweep's process can read them ride home on what the launcher returns.

The parent leaves a note in the config that travels to the jobs: its own file of the journal. A job that does not find it
writes to another disk, and keeps its lines. They are an attribute of its `JobReturn`, which comes home as a whole.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hydra.core.utils import JobReturn
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.kept_lines import KeptLines
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import append, journal_file, write_line
from hydra_callback_kit.launching.in_place import put_in_place
from hydra_callback_kit.launching.policy import Policy
from hydra_callback_kit.launching.record import AT_HOME

_KEPT: Final = "kept_lines"
_RIDE_ON: Final = "hydra_callback_kit_lines"

_log = SafeLogger("hydra_callback_kit")
_told: Final[set[str]] = set()
"""The runs of which this process has said that their journal is elsewhere."""


def let_lines_ride_home(config: DictConfig) -> None:
    """Lets the jobs of a sweep send home what the parent cannot read, once, however many callbacks ask for it.

    Args:
        config: that of `on_multirun_start`; the start of the sweep is recorded.
    """
    notes = notes_of(config)
    if AT_HOME not in notes:
        run = identify_run(config)
        file = journal_file(run)
        notes[AT_HOME] = str(file), _number_on_disk(file)
        put_in_place(config, _LinesHome(run))


def keep_lines(config: DictConfig, job: JobIdentity) -> None:
    """Keeps what this process is going to write of a job, if its sweep's process cannot read it.

    Args:
        config: that of `on_job_start`, with the note.
        job: the job.
    """
    notes = notes_of(config)
    file, number = notes[AT_HOME]
    if number is not None and _number_on_disk(Path(file)) == number:
        return
    notes[_KEPT] = KeptLines(job.attempt, this_process().host)
    if job.run.run_id not in _told:
        _told.add(job.run.run_id)
        _log.warning(
            "This process does not share the directory of the sweep, %s, with the process that started it. What the "
            "callbacks record reaches the sweep's journal when the launcher brings the jobs' results home. Files that jobs "
            "write stay on %s, and so does the record of a job that does not come home: in %s.",
            job.run.root,
            this_process().host,
            job.run.root / JOURNAL_DIR,
        )


def ride_on(config: DictConfig, job_return: JobReturn) -> None:
    """Lets the lines that were kept of a job ride home, with those that it still writes until it is on its way.

    Args:
        config: that of `on_job_end`.
        job_return: what the launcher brings home.
    """
    kept = notes_of(config).get(_KEPT)
    if kept is not None:
        setattr(job_return, _RIDE_ON, kept)


class _LinesHome(Policy):
    """Writes into the sweep's journal what came home."""

    def __init__(self, run: RunIdentity) -> None:
        self._run = run

    def came_home(self, returned: Mapping[int, JobReturn | None]) -> None:
        # of a job that was lost nothing else says that it is no longer queued
        write_line(self._run, "jobs_returned", {}, encoded={"returned": sorted(returned)})
        hosts: dict[str, int] = {}
        for num, job_return in returned.items():
            kept = vars(job_return).pop(_RIDE_ON, None) if isinstance(job_return, JobReturn) else None
            if not isinstance(kept, KeptLines):
                continue
            hosts[kept.host] = hosts.get(kept.host, 0) + 1
            for line in kept.lines:
                append(self._run, line)
            if kept.dropped:
                _log.warning(
                    "Of what job %s recorded on %s, %s lines were too much to come home.", num, kept.host, kept.dropped
                )
        for host, count in sorted(hosts.items()):
            _log.info("Jobs whose record came home from %s, where their files are: %s", host, count)


def _number_on_disk(file: Path) -> int | None:
    """What tells a file from a copy of it; None if it is not there."""
    try:
        return file.stat().st_ino
    except OSError:
        return None
