"""Where a job ran and what it is called there: the launcher's id, the batch system's place; and where its files are."""

import re
from collections.abc import Sequence
from typing import Any, Final

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text

UPLOADED: Final = "uploaded"
"""The fact of a run or job whose files were sent to a bucket or a folder."""

DELETED_HERE: Final = "deleted_here"
"""What it says of a job whose files were deleted here because they are there: how many."""

MAX_NAMED: Final = 5
"""Places that are named of many."""

_OF_A_RERUN: Final = re.compile("[0-9]{8}T[0-9]{12}-[0-9a-f]{8}_[0-9]+")
"""What a job is called that `rerun` runs again."""


def telling_id(job: JobRecord) -> str:
    """What the launcher calls a job, where that says more than the job's number; empty elsewhere.

    A job that was run again has what it is called now, and in brackets what it was called first.
    """
    own, first = (_telling(job_id, job) for job_id in (job.job_id, job.first_job_id))
    return f"{own} (first {first})" if own and first else own or first


def launcher_id(job: JobRecord) -> str:
    """What the launcher calls the attempt that counts, where that says more than the job's number; empty elsewhere."""
    return _telling(job.job_id, job)


def place_in_words(job: JobRecord) -> str:
    """What the batch system said of a job: `slurm 123_4 on n[1-2], partition gpu, GPUs 0,1`; empty outside of one."""
    batch = job.facts.get("batch")
    if type(batch) is not dict or "job" not in batch:
        return ""
    array = f"{batch.get('array_job')}_{batch.get('array_index')}" if "array_job" in batch else batch.get("job")
    known = [f"{as_text(batch.get('system'))} {as_text(array)}{_words(batch, 'node_list', ' on ')}"]
    known += filter(None, (_words(batch, "partition", "partition "), _words(batch, "gpus", "GPUs ")))
    return ", ".join(known)


def copy_of(run: RunRecord, job: JobRecord) -> str:
    """Where a copy of a job's files is, by `upload_callback`; empty where none, or not all of it, is on record.

    Args:
        run: the run.
        job: one of its jobs.
    """
    own, all_of_it = job.facts.get(UPLOADED), run.facts.get(UPLOADED)
    if type(own) is dict and own.get("complete") is True and own.get("to"):
        return as_text(own["to"])
    inside = job.output_dir is not None and job.output_dir.is_relative_to(run.root)
    if not inside or type(all_of_it) is not dict or all_of_it.get("complete") is not True or not all_of_it.get("to"):
        return ""
    place = job.output_dir.relative_to(run.root).as_posix() if job.output_dir is not None else "."
    return f"{as_text(all_of_it['to'])}/{place}".removesuffix("/.")


def deleted_for_it(job: JobRecord) -> int:
    """How many of a job's files were deleted here because the copy has them."""
    fact = job.facts.get(UPLOADED)
    count = fact.get(DELETED_HERE) if type(fact) is dict else None
    return count if type(count) is int else 0


def batch_systems(jobs: Sequence[JobRecord]) -> str:
    """Where the jobs of a run were: `slurm, partition gpu, nodes n1 n2`; empty outside of a batch system."""
    batches = [job.facts["batch"] for job in jobs if type(job.facts.get("batch")) is dict]
    found = {name: list(dict.fromkeys(as_text(each[name]) for each in batches if each.get(name))) for name in _PLACES}
    return ", ".join(f"{_PLACES[name]}{_some(values)}" for name, values in found.items() if values)


_PLACES: Final = {"system": "", "partition": "partition ", "node_list": "nodes "}


def _some(values: Sequence[str]) -> str:
    more = f" and {len(values) - MAX_NAMED} more" if len(values) > MAX_NAMED else ""
    return f"{' '.join(values[:MAX_NAMED])}{more}"


def _words(batch: dict[str, Any], name: str, before: str) -> str:
    return f"{before}{as_text(batch[name])}" if batch.get(name) else ""


def _telling(job_id: str | None, job: JobRecord) -> str:
    usual = (str(job.job_num), f"{job.job_name}_{job.job_num}", f"job_id_for_{job.job_num}")
    return "" if job_id is None or job_id in usual or _OF_A_RERUN.fullmatch(job_id) else job_id
