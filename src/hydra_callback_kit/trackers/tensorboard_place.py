"""Where the event file of a job lies, as its record says."""

from pathlib import Path

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.trackers.tensorboard import NAME, file_of


def path_of(run: RunRecord, job: JobRecord) -> Path:
    """The event file of a job, always below the run's directory: a journal may be anybody's, and name any other.

    Args:
        run: the job's run, with all jobs.
        job: the job.
    """
    said = _directory(job.facts.get(NAME))
    if said is None:
        said = _directory(run.facts.get(NAME)) or "tensorboard"
        if sum(other.subdir == job.subdir for other in run.jobs) > 1:
            said = own(said, job.job_num)
    directory = None if job.output_dir is None else (job.output_dir / said).resolve()
    if directory is None or not directory.is_relative_to(run.root.resolve()):
        directory = run.root / own("tensorboard", job.job_num)
    return file_of(directory, run.run_id, job.job_num)


def own(directory: str, job_num: int) -> str:
    """The directory of one of several jobs whose output directory is the same.

    Args:
        directory: that of a job alone.
        job_num: its number.
    """
    return f"tensorboard_{job_num}" if Path(directory) == Path() else f"{directory}_{job_num}"


def _directory(fact: object) -> str | None:
    return as_text(fact["directory"]) if type(fact) is dict and fact.get("directory") else None
