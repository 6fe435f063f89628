"""Where a job ran and what it is called there: the launcher's id, and what the batch system says of its place."""

import re
from collections.abc import Sequence
from typing import Any, Final

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import as_text

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
