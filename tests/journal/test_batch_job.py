"""The job of a batch system that a process is in, by its environment."""

import pytest

from hydra_callback_kit.journal.batch_job import BatchJob, batch_job

SLURM = {
    "SLURM_JOB_ID": "17",
    "SLURM_RESTART_COUNT": "2",
    "SLURM_STEP_ID": "3",
    "SLURM_CLUSTER_NAME": "here",
    "SLURM_ARRAY_JOB_ID": "15",
    "SLURM_ARRAY_TASK_ID": "4",
    "SLURM_JOB_NODELIST": "node[1-2]",
    "SLURM_JOB_PARTITION": "short",
    "SLURM_STEP_GPUS": "0,1",
    "SLURM_JOB_GPUS": "0,1,2",
    "CUDA_VISIBLE_DEVICES": "5",
    "SLURM_GPUS_ON_NODE": "2",
}


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which nothing else says of a batch system."""
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("slurm")
def test_a_jobs_place() -> None:
    """All that Slurm says of it."""
    job = batch_job()
    assert job == BatchJob("17", 2, 3)
    assert job.facts() == {
        "system": "slurm",
        "job": "17",
        "restarts": 2,
        "cluster": "here",
        "array_job": "15",
        "array_index": "4",
        "node_list": "node[1-2]",
        "partition": "short",
        "gpus": "0,1",
        "gpus_on_node": "2",
    }


def test_what_slurm_does_not_say_is_left_out(slurm: pytest.MonkeyPatch) -> None:
    """Of the variables that name the devices the nearest that says something counts."""
    for name in ("SLURM_STEP_GPUS", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_GPUS_ON_NODE", "SLURM_CLUSTER_NAME"):
        slurm.delenv(name)
    slurm.setenv("SLURM_JOB_GPUS", "")
    slurm.setenv("SLURM_RESTART_COUNT", "many")
    job = batch_job()
    assert job is not None
    assert job.facts() == {
        "system": "slurm",
        "job": "17",
        "restarts": 0,
        "node_list": "node[1-2]",
        "partition": "short",
        "gpus": "5",
    }


@pytest.mark.parametrize(
    ("step", "expected"), [("0", 0), ("2147483647", -1), ("4294967290", -1), ("", -1), ("-1", -1), ("batch", -1), ("²", -1)]
)
def test_the_step(slurm: pytest.MonkeyPatch, step: str, expected: int) -> None:
    """Of the script, and of what has no number, it is -1."""
    slurm.setenv("SLURM_STEP_ID", step)
    job = batch_job()
    assert job is not None
    assert job.step == expected


def test_outside_of_one(slurm: pytest.MonkeyPatch) -> None:
    """An empty variable is none."""
    slurm.setenv("SLURM_JOB_ID", "")
    assert batch_job() is None
