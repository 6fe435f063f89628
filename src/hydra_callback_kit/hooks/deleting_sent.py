"""What is deleted here of a job because it is in a store: its own files, and nothing that people and commands read here."""

import glob
from collections.abc import Collection, Iterable
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.hooks.log_files import log_files_of
from hydra_callback_kit.hooks.own_files import written_by_the_job
from hydra_callback_kit.hooks.same_files import files_in_the_root
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.written import written_in
from hydra_callback_kit.remote.deleting import deletable, delete
from hydra_callback_kit.remote.tree import LocalFile, inside
from hydra_callback_kit.trackers.upload import all_ranks_have_ended, completed_places, is_distributed
from hydra_callback_kit.trackers.upload_wanted import Wanted
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.seal import is_as_sealed


def delete_of_job(config: DictConfig, root: Path, place: str, verified: Collection[LocalFile]) -> int:
    """Deletes what is there of the job that ends.

    Args:
        config: the config of `on_job_end`.
        root: the run's directory.
        place: the job's, relative to it.
        verified: the files that are there as they were here.

    Returns:
        How many files.
    """
    return delete(file for file in _own(config, root, place, written_by_the_job(config)) if file in verified)


def delete_of_all(
    config: DictConfig, run: RunRecord, wanted: Wanted, verified: Collection[LocalFile], log: SafeLogger
) -> None:
    """Deletes what is there of jobs that could not do it as they ended; of a distributed job all or nothing.

    Args:
        config: that of the end of the run.
        run: its record.
        wanted: what goes there.
        verified: as above.
        log: is told of what is left.
    """
    written, left = written_in(run.root, run.run_id), dict[str, list[int]]()
    for place, job in completed_places(run).items():
        ours = written.get(job.job_num, set()) | (set() if place else written.get(None, set()))
        own, why = _own(config, run.root, place, ours), ""
        goes = [file for file in own if file in verified]
        if is_distributed(job):
            is_all = len(goes) == sum(wanted.takes(inside(file.name, place)) for file in own)
            why = "" if is_all else "not all that they have left is verified there"
            why = why if all_ranks_have_ended(job) else "not all of their ranks have ended"
        if why:
            left.setdefault(why, []).append(job.job_num)
        else:
            delete(goes)
    for why, jobs in left.items():
        log.caution("Nothing that %s left is deleted here: %s.", wording.named_jobs(jobs), why)


def _own(config: DictConfig, root: Path, place: str, written: Iterable[str]) -> list[LocalFile]:
    """The files of a job, but for what Hydra writes, and what callbacks of this package have written."""
    subdir = OmegaConf.select(config, "hydra.output_subdir")
    of_the_run = [] if place else files_in_the_root(config)  # a single run's job has its directory
    ours = [glob.escape(name) for name in (*written, *of_the_run) if name not in ("", ".")]
    kept = [".hydra", *([str(subdir)] if subdir else []), *log_files_of(config), *ours]
    return [file for file in deletable(root, place, kept) if not is_as_sealed(file.path)]
