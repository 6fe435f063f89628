"""What a sweeper gets for a job that is not started, because it is on record."""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn, JobStatus

from hydra_callback_kit.journal.masking import is_marked
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import Cut


def can_be_given_back(value: Any) -> bool:
    """Tells whether a value is on record by its content, and not as a text that stands for it, or hides a secret in it.

    What JSON has no word for comes back as what is nearest: a tuple as a list, a data class as a mapping, a key as a text.

    Args:
        value: what a job returned, from its record.
    """
    if isinstance(value, Cut):
        return False
    if isinstance(value, str):
        return not is_marked(value)
    items = (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(can_be_given_back, items))


def completed(job: JobRecord | None, overrides: Sequence[str]) -> JobReturn:
    """The answer for a job that has completed.

    Args:
        job: its record; None for one whose value nobody looks at.
        overrides: what the sweeper asks for.
    """
    value = None if job is None else job.return_value
    return JobReturn(overrides=list(overrides), status=JobStatus.COMPLETED, _return_value=value)


def failed(job: JobRecord, overrides: Sequence[str]) -> JobReturn:
    """The answer for a job that had not completed when the sweep was started before: its value raises what says so.

    Args:
        job: its record.
        overrides: what the sweeper asks for.
    """
    why = job.error.headline if job.error else f"it was {job.status.lower()}"
    return failed_by(f"job {job.job_num} is not run again. When the sweep was started before: {why}", overrides)


def failed_by(why: str, overrides: Sequence[str]) -> JobReturn:
    """The answer for a job that has not completed, whether it is on record or not.

    Args:
        why: what its value, which is raised, says.
        overrides: what the sweeper asks for.
    """
    return JobReturn(overrides=list(overrides), status=JobStatus.FAILED, _return_value=RuntimeError(why))
