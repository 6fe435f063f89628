"""Where a job ran and what it is called there."""

from typing import Any

import pytest

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.whereabouts import batch_systems, launcher_id, place_in_words, telling_id


def a_job(job_id: str | None = None, first: str | None = None, batch: Any = None) -> JobRecord:
    """Job 3 of an app."""
    facts = {} if batch is None else {"batch": batch}
    return JobRecord(3, "FAILED", job_id=job_id, first_job_id=first, job_name="app", facts=facts)


@pytest.mark.parametrize(
    ("job_id", "first", "said"),
    [
        *((usual, None, "") for usual in (None, "3", "app_3", "job_id_for_3")),
        ("123_3", None, "123_3"),
        ("4711", None, "4711"),
        ("5c2d9b0e-7c2f", None, "5c2d9b0e-7c2f"),
        ("app_4", None, "app_4"),
        ("140", "123_3", "140 (first 123_3)"),
        ("20260101T000000000000-aabbccdd_3", "123_3", "123_3"),
        ("140", "3", "140"),
    ],
)
def test_an_id_is_shown_where_it_says_more_than_the_number(job_id: str | None, first: str | None, said: str) -> None:
    """Not the names that basic, joblib and Ray make of the number, and not the one that `rerun` gives."""
    job = a_job(job_id, first)
    assert telling_id(job) == said
    assert launcher_id(job) in said
    assert not (first and launcher_id(job).startswith(first))


def test_a_batch_systems_job_in_words() -> None:
    """An element of an array is named as Slurm's commands name it."""
    batch = {"system": "slurm", "job": "12", "array_job": "9", "array_index": "3", "node_list": "n[1-2]", "gpus": "0,1"}
    assert place_in_words(a_job(batch=batch)) == "slurm 9_3 on n[1-2], GPUs 0,1"
    assert place_in_words(a_job(batch={"system": "slurm", "job": "12", "partition": "gpu"})) == "slurm 12, partition gpu"
    jobs = [a_job(batch={**batch, "partition": "gpu", "node_list": f"n{number}"}) for number in range(7)]
    assert batch_systems(jobs) == "slurm, partition gpu, nodes n0 n1 n2 n3 n4 and 2 more"


@pytest.mark.parametrize("batch", [None, "slurm", [], {}, {"system": 1, "job": {"a": 2}, "node_list": [3]}])
def test_what_somebody_else_calls_batch_breaks_nothing(batch: Any) -> None:
    """A fact of a stranger's journal."""
    assert isinstance(place_in_words(a_job(batch=batch)), str)
    assert isinstance(batch_systems([a_job(batch=batch)]), str)
