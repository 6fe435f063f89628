"""The job of a batch system that the calling process is in, and how often what runs there was started again."""

import os
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.process import ProcessIdentity, parent_process

_LAST_STEP: Final = 1 << 31
"""Slurm numbers the steps of a job from 0; larger numbers stand for its script and for an interactive shell."""


_PLACE: Final = {
    "cluster": ("SLURM_CLUSTER_NAME",),
    "array_job": ("SLURM_ARRAY_JOB_ID",),
    "array_index": ("SLURM_ARRAY_TASK_ID",),
    "node_list": ("SLURM_JOB_NODELIST",),
    "partition": ("SLURM_JOB_PARTITION",),
    "gpus": ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS", "CUDA_VISIBLE_DEVICES"),
    "gpus_on_node": ("SLURM_GPUS_ON_NODE",),
}
"""Where the environment says what a job's record says of its place; of several variables the first that is set."""


class BatchJob(NamedTuple):
    """A job of Slurm's.

    Attributes:
        job: its id; each element of an array has one of its own.
        restarts: how often Slurm has started it again.
        step: the step of it that the process is in, -1 for its script.
    """

    job: str
    restarts: int
    step: int

    def facts(self) -> dict[str, Any]:
        """What a job's record says of it."""
        found = {name: next(filter(None, map(os.environ.get, variables)), None) for name, variables in _PLACE.items()}
        place = {name: text for name, text in found.items() if text is not None}
        return {"system": "slurm", "job": self.job, "restarts": self.restarts, **place}


def batch_job() -> BatchJob | None:
    """Tells the job that the calling process is in; None outside of one."""
    job = os.environ.get("SLURM_JOB_ID")
    if not job:
        return None
    step = number_in("SLURM_STEP_ID")
    return BatchJob(job, number_in("SLURM_RESTART_COUNT") or 0, -1 if step is None or step >= _LAST_STEP else step)


class Start(NamedTuple):
    """A start of an app by something that starts it again by itself when it fails or is preempted: Slurm, or torchrun.

    Attributes:
        by: what has started it: the same for each start of the same app.
        times: how often it was started before, as numbers that grow.
    """

    by: str
    times: tuple[int, ...]

    def is_another_of(self, earlier: "Start | None") -> bool:
        """Tells whether it follows an earlier start of the same."""
        return earlier is not None and self.by == earlier.by and self.times > earlier.times

    def follows_for_certain(self, earlier: "Start") -> bool:
        """Tells whether what the earlier one has started is known to have ended: a later step of a job proves nothing."""
        return self.times[::2] > earlier.times[::2]


def this_start() -> Start | None:
    """Tells how the calling process was started; None where nothing starts it again by itself."""
    job, restarts = batch_job(), number_in("TORCHELASTIC_RESTART_COUNT")
    if job is not None:
        return Start(f"slurm {job.job}", (job.restarts, job.step, restarts or 0))
    if restarts is None:
        return None
    run = os.environ.get("TORCHELASTIC_RUN_ID", "none")
    return Start(f"torchrun {_in_words(parent_process()) if run == 'none' else run}", (restarts,))


def number_in(variable: str) -> int | None:
    """The number in an environment variable; None if there is none."""
    text = os.environ.get(variable, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004  no count has more digits


def _in_words(process: ProcessIdentity) -> str:
    return f"{process.host}:{process.pid}:{process.born}"
