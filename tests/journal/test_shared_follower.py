"""Following a journal from where another process has left off: what it left is believed only as far as it can be."""

import json
import random
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journals import a_run, write_job

from hydra_callback_kit.journal import shared_follower, writer
from hydra_callback_kit.journal.follower import FollowedJob, RunFollower
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.shared_follower import SharedFollower

RUN = "20260101T000000-aa"
STATUSES = st.sampled_from(["COMPLETED", "FAILED", "INTERRUPTED", None])


def counted(follower: RunFollower) -> dict[str, list[Any]]:
    """How the jobs stand, with what is known of those that did not complete."""
    follower.look()
    return {
        status: sorted(
            (job.job_num, job.number, job.started_at, job.ended_at, job.status, job.error)
            + ((job.overrides, job.process) if job.status is None else ())
            for job in jobs
        )
        for status, jobs in follower.jobs().items()
    }


def one_file_a_job(root: Path, name: str) -> None:
    """Gives what was written last a journal file of its own, as a process of its own would have."""
    (written,) = (root / ".callbacks").glob(f"{RUN}.*-*-*.jsonl")
    written.rename(written.with_name(f"{RUN}.{name}.jsonl"))
    writer._files.clear()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(jobs=st.lists(STATUSES, min_size=1, max_size=12), chance=st.randoms(use_true_random=False))
def test_whoever_looks_sees_the_same(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    jobs: list[str | None],
    chance: random.Random,
) -> None:
    """Each job has a process of its own and looks; what the one before has left is there, old, lost or not JSON."""
    monkeypatch.setattr(shared_follower, "LEFT_AFTER", 1)
    root = tmp_path_factory.mktemp("run")
    left, old = root / ".callbacks" / f"{RUN}.read.json", b"{"
    for num, status in enumerate(jobs):
        error = {"error": {"type": "ValueError", "message": f"boom {num}"}} if status == "FAILED" else {}
        write_job(a_run(root), num, status, **error)
        one_file_a_job(root, f"job{num}")
        assert counted(SharedFollower(root, RUN)) == counted(RunFollower(root, RUN))
        now = left.read_bytes()
        left.write_bytes(chance.choice([now, now, old, b"", b"[]", now[: chance.randrange(len(now))]]))
        old = now


SCALARS = st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=SCALARS | st.lists(SCALARS, max_size=3), chance=st.randoms(use_true_random=False))
def test_what_is_no_job_is_not_taken_for_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, value: Any, chance: random.Random
) -> None:
    """A field of another type: nothing raises, and the journal itself is read."""
    monkeypatch.setattr(shared_follower, "LEFT_AFTER", 1)
    root = tmp_path_factory.mktemp("run")
    write_job(a_run(root), 0, "FAILED", error={"type": "ValueError", "message": "boom"})
    writer._files.clear()
    truth = counted(RunFollower(root, RUN))
    SharedFollower(root, RUN).look()
    file = root / ".callbacks" / f"{RUN}.read.json"
    left = json.loads(file.read_text("utf-8"))
    row, place = left["jobs"][0], chance.randrange(len(left["jobs"][0]))
    if type(value) is type(row[place]):
        return  # what it says then is another job, which nobody can know
    row[place] = value
    file.write_text(json.dumps(left), "utf-8")
    follower = SharedFollower(root, RUN)
    follower.look()
    assert all(isinstance(job.started_at, str) for jobs in follower.jobs().values() for job in jobs)
    if place:
        assert counted(SharedFollower(root, RUN)) == truth


TEXTS = st.lists(st.text(max_size=5), max_size=3).map(tuple)
JOBS = st.builds(
    FollowedJob,
    job_num=st.integers(),
    overrides=TEXTS,
    bases=TEXTS,
    process=st.none() | st.builds(ProcessIdentity, st.text(max_size=5), st.integers(), st.none() | st.text(max_size=5)),
    batch=st.none() | st.tuples(st.text(max_size=5), st.integers()),
    status=STATUSES,
    error=st.none() | st.tuples(st.text(max_size=5), st.text(max_size=5)),
    **{name: st.text(max_size=5) for name in ("started_at", "ended_at", "file")},
    **{name: st.booleans() for name in ("requeued", "failed_rank")},
    number=st.integers(),
)


@given(job=JOBS)
def test_a_job_is_left_as_it_is(job: FollowedJob) -> None:
    """All that is known of it, but for who ran one that has ended, and what one that has completed was given."""
    left = json.loads(json.dumps(shared_follower._row(job)))
    known = job if job.status is None else replace(job, process=None)
    assert shared_follower._job(left) == (replace(known, overrides=()) if job.status == "COMPLETED" else known)


WHOLE = FollowedJob(
    3,
    ("x=1",),
    "2026",
    2,
    "2027",
    ProcessIdentity("a", 1, "b"),
    ("17", 0),
    error=("ValueError", "boom"),
    bases=("Exception",),
)
OTHERS: list[Any] = [
    None,
    True,
    1,
    1.0,
    "x",
    [],
    ["x"],
    [1],
    ["x", "x"],
    ["x", 1],
    [1, "x"],
    [["x"]],
    ["x", 1, 1],
    ["x", 1, "x"],
]
OTHERS += [["x", True], ["x", 1, None], [1, 1, "x"], ["x", "x", "x"], {}, {"x": 1}]
GOES: dict[str, list[Any]] = {
    "job_num": [1],
    "overrides": [[], ["x"], ["x", "x"], ["x", "x", "x"]],
    "process": [None, ["x", 1, "x"], ["x", 1, None]],
    "batch": [None, ["x", 1]],
    "requeued": [True],
    "status": [None, "x"],
    "error": [None, ["x", "x"]],
    "bases": [[], ["x"], ["x", "x"], ["x", "x", "x"]],
    "failed_rank": [True],
    **{name: ["x"] for name in ("started_at", "ended_at", "file")},
    "number": [1],
}


@pytest.mark.parametrize("name", [field.name for field in fields(FollowedJob)])
def test_what_a_field_may_be(name: str) -> None:
    """Anything else, at any depth, is not what is left of a job."""
    row = json.loads(json.dumps(shared_follower._row(WHOLE)))
    place = list(shared_follower._KINDS).index(name)
    taken = []
    for other in OTHERS:
        try:
            shared_follower._job([*row[:place], other, *row[place + 1 :]])
        except (TypeError, ValueError):
            continue
        taken.append(other)
    assert list(map(repr, taken)) == [repr(other) for other in OTHERS if repr(other) in map(repr, GOES[name])]
    with pytest.raises(ValueError, match="zip"):
        shared_follower._job(row[:-1])


@pytest.mark.parametrize("batch", [None, {"system": "slurm", "job": "17", "restarts": 1}], ids=["by itself", "in Slurm"])
def test_the_last_of_many_opens_few_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, batch: dict[str, Any] | None
) -> None:
    """Of 300 files the last job's process reads those that nobody has read yet, and one that has grown since."""
    for num in range(300):
        write_job(a_run(tmp_path), num, "FAILED" if num == 7 else "COMPLETED", batch=batch)
        one_file_a_job(tmp_path, f"job{num:03d}")
        if num % 10 == 0:
            SharedFollower(tmp_path, RUN).look()
    opened: list[str] = []

    def spy(path: Path) -> Any:
        opened.append(path.name)
        return open_regular(path)

    open_regular = shared_follower.open_regular
    monkeypatch.setattr("hydra_callback_kit.journal.follower.open_regular", spy)
    with (tmp_path / ".callbacks" / f"{RUN}.job003.jsonl").open("a", encoding="utf-8") as grown:
        grown.write((tmp_path / ".callbacks" / f"{RUN}.job007.jsonl").read_text("utf-8").replace('"job":7', '"job":3'))
    follower = SharedFollower(tmp_path, RUN)
    follower.look()
    assert [job.job_num for job in follower.jobs()["FAILED"]] == [7, 3]
    assert f"{RUN}.job003.jsonl" in opened
    assert len(opened) <= shared_follower.LEFT_AFTER + 10


def test_an_emptied_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    """The writer writes again what an app has cleared away."""
    write_job(a_run(tmp_path), 0, "COMPLETED")
    one_file_a_job(tmp_path, "jobs")
    follower = RunFollower(tmp_path, RUN)
    follower.look()
    write_job(a_run(tmp_path), 1, None)
    one_file_a_job(tmp_path, "jobs")
    follower.look()
    assert [len(jobs) for jobs in follower.jobs().values()] == [1, 0, 0, 1]


def test_where_nothing_can_be_left_each_reads_for_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A directory in its place; no half of it stays behind."""
    monkeypatch.setattr(shared_follower, "LEFT_AFTER", 1)
    write_job(a_run(tmp_path), 0, "FAILED")
    (tmp_path / ".callbacks" / f"{RUN}.read.json" / "x").mkdir(parents=True)
    follower = SharedFollower(tmp_path, RUN)
    follower.look()
    assert len(follower.jobs()["FAILED"]) == 1
    assert len(list((tmp_path / ".callbacks").iterdir())) == 2
