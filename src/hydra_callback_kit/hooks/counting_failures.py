"""Which sweeps note what `open_jobs` needs: those of which each job asks, as it starts, how many have failed."""

from typing import Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.identity import JobIdentity
from hydra_callback_kit.journal.open_jobs import failed_at_most, forget_open_jobs, job_closes, job_opens

_NOTE: Final = "counts_failures"


def count_failures(config: DictConfig) -> None:
    """Has the jobs of a sweep note that they run, and that they have failed.

    Args:
        config: the config of `on_multirun_start`.
    """
    forget_open_jobs(identify_run(config))  # of a sweep that goes on
    notes_of(config)[_NOTE] = True


def job_runs(config: DictConfig, job: JobIdentity) -> None:
    """Notes it, if it is to be noted."""
    if _NOTE in notes_of(config):
        job_opens(job)


def job_is_over(config: DictConfig, job: JobIdentity, status: Status) -> None:
    """Notes how it ended, if that is to be noted."""
    if _NOTE in notes_of(config):
        job_closes(job, failed=status in ("FAILED", "INTERRUPTED"))


def failures_so_far(config: DictConfig, job: JobIdentity) -> float:
    """How many other jobs of the sweep can have failed, at a glance; infinity where only the journal can tell.

    Args:
        config: the config of `on_job_start`.
        job: the job, whose start is recorded.
    """
    notes = notes_of(config)
    # of jobs on a disk of their own nobody sees what they note
    return failed_at_most(job) if _NOTE in notes and "journal_at_home" not in notes else float("inf")


def count_failures_no_more(config: DictConfig) -> None:
    """Removes what was noted at the end of a sweep, unless its jobs may outlive it.

    Args:
        config: the config of `on_multirun_start`.
    """
    forget_open_jobs(identify_run(config), only_if_empty="sweep" in notes_of(config))
