"""What has become of a run and of its jobs: by its launcher, and by what is known of their processes."""

import json
from pathlib import Path

import pytest
from journals import a_job, a_run, write_job

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.life import Found, Sight
from hydra_callback_kit.journal.metric import Metric, as_fact
from hydra_callback_kit.journal.process import ProcessIdentity
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.writer import write_line

PARENT, WORKER = "login1", "node17"


def sweep(root: Path, launcher: str, *, ended: bool, planned: int = 1) -> None:
    """A sweep whose only job, in a process of its own, has no end on record."""
    writer._files.clear()
    run = a_run(root)
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": launcher, "planned_jobs": planned})
    if ended:
        write_line(run, "run_ended", {"duration_s": 1.0})
    (file,) = (root / ".callbacks").iterdir()
    text = file.read_text()
    writer._files.clear()
    file.unlink()
    write_job(run, 0, None)
    (worker,) = (root / ".callbacks").iterdir()
    host = ProcessIdentity(*_who(text)).host
    worker.write_text(worker.read_text().replace(f'"host":"{host}"', f'"host":"{WORKER}"'))
    file.with_name("20260101T000000-aa.parent.jsonl").write_text(text.replace(f'"host":"{host}"', f'"host":"{PARENT}"'))


def _who(text: str) -> tuple[str, int, str | None]:
    line = json.loads(text.splitlines()[0])
    return line["host"], line["pid"], line["born"]


def seen(root: Path, parent: bool | None, worker: bool | None, *, at_its_end: bool = False) -> RunRecord:
    """The record, where this is known of the two."""
    alive = {PARENT: parent, WORKER: worker}
    return read_run(root, sight=Sight(is_alive=lambda process: alive[process.host]), has_ended=at_its_end)


@pytest.mark.parametrize("launcher", ["submitit_slurm", "submitit_local", "rq", "somebodys"])
@pytest.mark.parametrize("ended", [True, False])
def test_the_end_of_a_sweep_is_not_that_of_jobs_that_outlive_it(tmp_path: Path, launcher: str, ended: bool) -> None:
    """Ctrl-C or a kill: what lives, or may live, is RUNNING, also for the process that ends; what is gone is not."""
    sweep(tmp_path, launcher, ended=ended)
    for worker, status, silent in ((True, "RUNNING", False), (None, "RUNNING", True), (False, "INTERRUPTED", False)):
        for at_its_end in (False, True):
            run = seen(tmp_path, False, worker, at_its_end=at_its_end)
            (job,) = run.jobs
            assert (job.status, run.status) == (status, status)
            assert (job.silent_since is not None, run.silent_since is not None) == (silent, silent)


@pytest.mark.parametrize("launcher", ["basic", "joblib", "ray"])
@pytest.mark.parametrize("ended", [True, False])
def test_the_end_of_a_sweep_is_that_of_jobs_that_die_with_it(tmp_path: Path, launcher: str, ended: bool) -> None:
    """But for one that is seen to live."""
    sweep(tmp_path, launcher, ended=ended)
    for worker, status in ((True, "RUNNING"), (None, "INTERRUPTED"), (False, "INTERRUPTED")):
        assert seen(tmp_path, False, worker).status == status
    assert seen(tmp_path, False, True, at_its_end=True).status == "INTERRUPTED"


def test_joblibs_workers_outlive_a_kill_for_the_jobs_that_they_were_given(tmp_path: Path) -> None:
    """While one runs, jobs that have left no line may still start; what runs by `rerun`, or is gone, starts none."""
    sweep(tmp_path, "joblib", ended=False, planned=3)
    assert seen(tmp_path, False, True).queue.perhaps == {1, 2}
    for parent, worker in ((False, False), (False, None), (True, True), (None, True)):
        assert not any(seen(tmp_path, parent, worker).queue)
    write_line(a_run(tmp_path), "job_facts", {"rerun": True}, a_job(a_run(tmp_path), 0))
    assert not any(seen(tmp_path, False, True).queue)


def test_what_nobody_knows_has_been_silent_since_its_last_line(tmp_path: Path) -> None:
    """Of the job and of the run; nothing of what ends or lives."""
    sweep(tmp_path, "basic", ended=False)
    run = seen(tmp_path, None, None)
    (job,) = run.jobs
    assert job.silent_since == job.started_at == run.silent_since
    assert (run.host, job.host) == (PARENT, WORKER)
    write_line(a_run(tmp_path), "job_facts", {"epoch": 3}, a_job(a_run(tmp_path), 0))
    later = seen(tmp_path, None, None).jobs[0].silent_since
    assert later is not None
    assert job.silent_since is not None
    assert later > job.silent_since
    assert seen(tmp_path, True, None).silent_since is None
    gone = read_run(tmp_path, sight=Sight(is_alive=lambda process: None, assume_gone=True))
    assert (gone.status, gone.jobs[0].status, gone.silent_since) == ("INTERRUPTED", "INTERRUPTED", None)


def test_jobs_that_may_be_queued_keep_a_sweep_running(tmp_path: Path) -> None:
    """They have left no line; `--assume-gone` takes them for gone."""
    sweep(tmp_path, "rq", ended=True, planned=3)
    run = seen(tmp_path, False, False)
    assert (run.status, run.jobs[0].status, run.queue.perhaps) == ("RUNNING", "INTERRUPTED", {1, 2})
    assert run.silent_since is not None
    gone = read_run(tmp_path, sight=Sight(is_alive=lambda process: False, assume_gone=True))
    assert (gone.status, any(gone.queue)) == ("INTERRUPTED", False)


class Squeue:
    """A batch system in which each job waits."""

    def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
        """It waits, and was started again once."""
        return Found("waits", 1)


@pytest.mark.parametrize("said_so", [True, False])
def test_a_job_that_is_requeued_runs_and_its_next_start_is_the_second_attempt(tmp_path: Path, said_so: bool) -> None:
    """Its process is gone; submitit has said so, or squeue says it."""
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "submitit_slurm", "planned_jobs": 1})
    write_line(run, "run_ended", {})
    batch = {"system": "slurm", "job": "12", "restarts": 0, "cluster": "c"}
    write_line(run, "job_started", {"job_id": "11_0", "batch": batch}, a_job(run, 0))
    if said_so:
        write_line(run, "job_requeued", {"requeued": True}, a_job(run, 0))
    unasked = read_run(tmp_path, sight=Sight(is_alive=lambda process: False))
    assert unasked.jobs[0].status == ("RUNNING" if said_so else "INTERRUPTED")
    record = read_run(tmp_path, sight=Sight(is_alive=lambda process: False, batch_system=Squeue()))
    assert (record.status, record.jobs[0].status, record.jobs[0].waits) == ("RUNNING", "RUNNING", True)
    assert "requeued" not in record.jobs[0].facts
    write_job(run, 0, "COMPLETED", attempt="2")
    record = read_run(tmp_path)
    assert (record.status, record.jobs[0].status, record.jobs[0].attempts) == ("COMPLETED", "COMPLETED", 2)


def test_a_sweep_that_runs_within_a_job_of_slurms_lives_no_longer_than_that(tmp_path: Path) -> None:
    """Its process cannot be seen; Slurm knows the job that it is in, which was started again."""

    class Says:
        """A batch system that says one thing."""

        def __init__(self, found: Found) -> None:
            self.found = found

        def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
            """Of the job that it is."""
            return self.found if (job, cluster) == ("12", "c") else None

    run = a_run(tmp_path)
    batch = {"system": "slurm", "job": "12", "restarts": 1, "cluster": "c"}
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "basic", "planned_jobs": 2, "batch": batch})
    write_job(run, 0, "COMPLETED")
    for found, status in ((Found("runs", 1), "RUNNING"), (Found("waits", 2), "RUNNING"), (Found("gone", 1), "INTERRUPTED")):
        record = read_run(tmp_path, sight=Sight(is_alive=lambda process: None, batch_system=Says(found)))
        assert (record.status, record.silent_since is None) == (status, found.state != "runs")


def test_the_array_is_known_by_the_first_start_of_a_job_that_was_run_again(tmp_path: Path) -> None:
    """`rerun` has called it otherwise; those of the array that wait are found all the same, without submitit's folders."""

    class Says:
        """A batch system that has one job."""

        def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
            """All others are gone."""
            return Found("waits" if job == "11_1" else "gone", 0)

    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "submitit_slurm", "planned_jobs": 3})
    write_line(run, "run_ended", {})
    write_line(run, "job_started", {"job_id": "11_0"}, a_job(run, 0))
    write_line(run, "job_ended", {"status": "FAILED"}, a_job(run, 0))
    again = {"job_id": f"{run.run_id}_0", "rerun": True, "attempt_number": 2}
    write_line(run, "job_started", again, a_job(run, 0, "2"))
    write_line(run, "job_ended", {"status": "COMPLETED"}, a_job(run, 0, "2"))
    record = read_run(tmp_path, sight=Sight(is_alive=lambda process: False, batch_system=Says(), assume_gone=True))
    assert (record.status, record.queue.there, record.queue.perhaps) == ("RUNNING", {1}, frozenset())


@pytest.mark.parametrize("launcher", ["submitit_slurm", "basic"])
@pytest.mark.parametrize("ended", [("COMPLETED", "COMPLETED"), ("COMPLETED", "FAILED")])
def test_a_sweep_that_was_killed_is_what_its_jobs_are_once_all_have_ended(
    tmp_path: Path, launcher: str, ended: tuple[str, str]
) -> None:
    """Until then it is INTERRUPTED: a job of it never came."""
    run = a_run(tmp_path)
    for planned, status in ((2, ended[1]), (3, "INTERRUPTED")):
        write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": launcher, "planned_jobs": planned})
        for num in (0, 1):
            write_job(run, num, ended[num])
        assert read_run(tmp_path, sight=Sight(is_alive=lambda process: False, assume_gone=True)).status == status


@pytest.mark.parametrize("alive", [None, False])
def test_a_batch_script_that_was_started_again_has_ended_what_it_ran(tmp_path: Path, alive: bool | None) -> None:
    """Its job is INTERRUPTED, unless the run's own process was started again with it: that comes to the job again."""

    class Says:
        """A batch system whose job was started again."""

        def about(self, job: str, owner: int, cluster: str | None) -> Found | None:
            """It runs."""
            return Found("runs", 1)

    def told(parent: bool | None) -> tuple[str, str, bool]:
        record = read_run(tmp_path, sight=Sight(lambda process: parent if process.host == PARENT else alive, Says()))
        return record.status, record.jobs[0].status, record.jobs[0].waits

    run = a_run(tmp_path)
    batch = {"system": "slurm", "job": "12", "restarts": 0, "cluster": "c"}
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "basic", "planned_jobs": 2, "batch": batch})
    write_line(run, "job_started", {"batch": batch}, a_job(run, 0))
    assert told(alive) == ("INTERRUPTED", "INTERRUPTED", False)
    (file,) = (tmp_path / ".callbacks").iterdir()
    host = _who(file.read_text())[0]
    before = file.read_text()
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "basic", "batch": {**batch, "restarts": 1}})
    later = file.read_text().removeprefix(before).replace(f'"host":"{host}"', f'"host":"{PARENT}"')
    file.write_text(before)
    file.with_name("20260101T000000-aa.parent.jsonl").write_text(later)
    assert told(None) == told(True) == ("RUNNING", "RUNNING", True)
    assert told(False) == ("INTERRUPTED", "INTERRUPTED", False)


BATCH = {"system": "slurm", "job": "12", "restarts": 1}


@pytest.mark.parametrize(
    ("job", "now", "waits"),
    [
        (BATCH, {**BATCH, "restarts": 2}, True),
        ({**BATCH, "restarts": 0}, BATCH, True),
        (BATCH, BATCH, False),
        ({**BATCH, "restarts": 0}, {**BATCH, "restarts": 0}, False),
        ({**BATCH, "restarts": 2}, BATCH, False),
        (BATCH, {**BATCH, "job": "13", "restarts": 2}, False),
        ({"system": "slurm", "job": "12"}, BATCH, False),
        (BATCH, {"system": "slurm", "job": "12"}, False),
        (None, BATCH, False),
        (BATCH, None, False),
    ],
)
def test_who_was_started_again_comes_to_its_jobs_again(
    tmp_path: Path, job: dict[str, object] | None, now: dict[str, object] | None, waits: bool
) -> None:
    """By the same job of Slurm's, and a later start of it, as far as both are known."""
    writer._files.clear()
    run = a_run(tmp_path)
    facts = {"mode": "MULTIRUN", "launcher": "basic", "planned_jobs": 2}
    write_line(run, "run_started", facts if now is None else {**facts, "batch": now})
    (file,) = (tmp_path / ".callbacks").iterdir()
    host = _who(file.read_text())[0]
    file.with_name("20260101T000000-aa.parent.jsonl").write_text(
        file.read_text().replace(f'"host":"{host}"', f'"host":"{PARENT}"')
    )
    file.unlink()
    writer._files.clear()
    write_line(run, "job_started", {} if job is None else {"batch": job}, a_job(run, 0))
    record = read_run(tmp_path, sight=Sight(lambda process: process.host == PARENT))
    assert record.jobs[0].waits is waits
    assert (record.jobs[0].status == "RUNNING") is waits


@pytest.mark.parametrize(
    ("start", "jobs", "ended", "status"),
    [
        ({"mode": "RUN"}, ["COMPLETED"], False, "COMPLETED"),
        ({"mode": "RUN"}, ["FAILED"], False, "FAILED"),
        ({"mode": "RUN"}, [], True, "INTERRUPTED"),
        ({"mode": "RUN", "aborted": "x"}, [], True, "FAILED"),
        ({"mode": "MULTIRUN", "planned_jobs": 2}, ["COMPLETED"] * 2, False, "COMPLETED"),
        ({"mode": "MULTIRUN", "planned_jobs": 2}, ["COMPLETED", "FAILED"], False, "FAILED"),
        ({"mode": "MULTIRUN", "planned_jobs": 2}, ["COMPLETED"], True, "INTERRUPTED"),
        ({"mode": "MULTIRUN", "planned_jobs": 2}, ["FAILED"], True, "FAILED"),
        ({"mode": "MULTIRUN", "planned_jobs": 2}, ["FAILED"], False, "INTERRUPTED"),
        ({"mode": "MULTIRUN"}, ["COMPLETED"], True, "COMPLETED"),
        ({"mode": "MULTIRUN"}, ["COMPLETED"], False, "INTERRUPTED"),
    ],
)
def test_how_a_run_stands_whose_process_is_gone(
    tmp_path: Path, start: dict[str, object], jobs: list[str], ended: bool, status: str
) -> None:
    """By what it was going to do, what was done, and whether it has ended itself."""
    writer._files.clear()
    run = a_run(tmp_path)
    write_line(run, "run_started", start)
    for num, each in enumerate(jobs):
        write_job(run, num, each)
    if ended:
        write_line(run, "run_ended", {"duration_s": 1.0})
    assert read_run(tmp_path, sight=Sight(is_alive=lambda _: False)).status == status


@pytest.mark.parametrize(("expected", "status"), [(None, "FAILED"), (1, "COMPLETED"), (2, "COMPLETED"), (3, "FAILED")])
def test_a_search_that_has_done_all_has_given_up_what_was_pruned_on_purpose(
    tmp_path: Path, expected: int | None, status: str
) -> None:
    """One that has not done all has failed jobs."""
    writer._files.clear()
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", **({} if expected is None else {"expected_jobs": expected})})
    write_job(run, 0, "COMPLETED")
    write_job(run, 1, "FAILED", error={"type": "optuna.TrialPruned", "message": "", "traceback": ""})
    write_line(run, "run_ended", {"duration_s": 1.0})
    assert read_run(tmp_path, sight=Sight(is_alive=lambda _: False)).status == status


def test_a_killed_jobs_metrics_are_summed_up_from_its_file_and_no_others(tmp_path: Path) -> None:
    """What a job has reported itself stays as it is."""
    writer._files.clear()
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", "planned_jobs": 2})
    reported = as_fact({"loss": Metric(0.5, 1, 0.5, 1, 0.5, 1, 1)})
    for num, status in ((0, None), (1, "COMPLETED")):
        write_job(run, num, status, **({} if status is None else {"metrics": reported}))
        directory = tmp_path / str(num)
        directory.mkdir()
        (directory / "metrics.jsonl").write_text(
            json.dumps({"attempt": f"{num}.1", "time": "2026-01-01T00:00:00+00:00", "step": 1, "values": {"loss": 0.25}})
            + "\n"
        )
        write_line(run, "job_facts", {"metrics_file": "metrics.jsonl"}, a_job(run, num))
    killed, whole = read_run(tmp_path, sight=Sight(is_alive=lambda _: False)).jobs
    assert killed.metrics["loss"].last == 0.25
    assert whole.metrics["loss"].last == 0.5
