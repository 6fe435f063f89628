"""What a launcher has of a batch whose launch raised, in its own list of what it has asked for.

The basic one has what its jobs returned. Ray's and submitit's ask for one result after another, and give up at a bad one.
"""

import contextlib
import time
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

from hydra.core.utils import JobReturn

_TIMEOUT_S: Final = 10.0
"""For all of Ray's: what is small is here already, and what is large may have to be fetched from another node."""


_FILE_TIMEOUT_S: Final = 15.0
"""Until what jobs of submitit's have written is seen here, if the disk is a slow one; submitit waits as long itself."""


def left_behind(error: BaseException, numbers: list[int], *, patient: bool = False) -> dict[int, JobReturn | None]:
    """Looks for the results of jobs that have ended.

    Args:
        error: what the launcher raised.
        numbers: of the jobs of the batch, in their order.
        patient: whether to wait for the others, and to tell of those that come to no end.

    Returns:
        What each job has returned that has ended, by its number; None for one that is gone. Nothing is known of
        jobs that are not there, as under joblib.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        runs, jobs = _list_in(frame, "runs"), _list_in(frame, "jobs")
        if all(isinstance(run, JobReturn) for run in runs):
            return dict(zip(numbers, runs, strict=False))
        if all(type(run).__module__ == "ray" for run in runs):
            return dict(_of_ray(runs, numbers, patient=patient))
        if patient and all(type(job).__module__.startswith("submitit.") for job in jobs):
            return dict(_of_submitit(jobs, numbers))
    return {}


def _list_in(frame: FrameType, name: str) -> list[Any]:
    """The list that a variable is; a list of nothing we know for anything else."""
    value = frame.f_locals.get(name)
    return value if isinstance(value, list) and value else [None]


def _of_ray(runs: list[Any], numbers: list[int], *, patient: bool) -> Iterator[tuple[int, JobReturn | None]]:
    import ray  # noqa: PLC0415  it is imported already

    if patient:
        ray.wait(runs, num_returns=len(runs), fetch_local=False)
    until_s = time.monotonic() + _TIMEOUT_S
    for num, run in zip(numbers, runs, strict=False):
        left_s = max(0.0, until_s - time.monotonic())
        if ray.wait([run], timeout=0, fetch_local=False)[0]:
            try:
                yield num, ray.get(run, timeout=None if patient else left_s)
            except Exception:  # noqa: BLE001  this one raised, or another one that did not come back
                if patient:
                    yield num, None


def _of_submitit(jobs: list[Any], numbers: list[int]) -> Iterator[tuple[int, JobReturn | None]]:
    """Waits for them. Submitit raises where a job is gone, and would wait for the file of each of those by itself."""
    for job in jobs:
        job.wait()
    until_s = time.monotonic() + _FILE_TIMEOUT_S
    for num, job in zip(numbers, jobs, strict=False):
        files = [job.task(number).paths.result_pickle for number in range(job.num_tasks)]
        while not (all_there := all(file.exists() for file in files)) and time.monotonic() < until_s:
            time.sleep(0.5)
        returned: Any = None
        with contextlib.suppress(Exception):
            returned = job.results()[0] if all_there else None
        yield num, returned if isinstance(returned, JobReturn) else None
