"""What Ray has of a batch whose launch raised: its launcher asks for one result after another, and gives up at a bad one."""

import contextlib
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Final

from hydra.core.utils import JobReturn

_TIMEOUT_S: Final = 10.0
"""For all of them: what is small is here already, and what is large may have to be fetched from another node."""


def left_behind(error: BaseException, numbers: list[int]) -> dict[int, JobReturn | None]:
    """Looks for the results of jobs that have ended, in the launcher's own list of what it has asked Ray for.

    Args:
        error: what the launcher raised.
        numbers: of the jobs of the batch, in their order.

    Returns:
        What each job has returned that has ended, by its number; nothing under other launchers.
    """
    return dict(_found(error, numbers)) if "ray" in sys.modules else {}


def _found(error: BaseException, numbers: list[int]) -> Iterator[tuple[int, JobReturn]]:
    import ray  # noqa: PLC0415  it is imported already

    until_s = time.monotonic() + _TIMEOUT_S
    for frame, _ in traceback.walk_tb(error.__traceback__):
        runs = frame.f_locals.get("runs")
        if not isinstance(runs, list) or not all(isinstance(run, ray.ObjectRef) for run in runs):
            continue
        for num, run in zip(numbers, runs, strict=False):
            left_s = max(0.0, until_s - time.monotonic())
            with contextlib.suppress(Exception):  # this one raised, or another one that did not come back
                if ray.wait([run], timeout=0, fetch_local=False)[0]:
                    yield num, ray.get(run, timeout=left_s)
