"""How many jobs can have failed, told by the names of files: never fewer than did, and no more where it can be known."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journals import a_job, a_run

from hydra_callback_kit.journal import open_jobs
from hydra_callback_kit.journal.identity import JobIdentity
from hydra_callback_kit.journal.open_jobs import failed_at_most, forget_open_jobs, job_closes, job_opens
from hydra_callback_kit.journal.process import ProcessIdentity

ASKS = 99
UNKNOWN = float("inf")


def asks(root: Path) -> JobIdentity:
    """The job that asks."""
    (root / ".callbacks").mkdir(exist_ok=True)
    job = a_job(a_run(root), ASKS)
    job_opens(job)
    return job


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    ends=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["completes", "fails", "runs"]), st.booleans()), max_size=12)
)
def test_jobs_that_failed_count_each_once(
    tmp_path_factory: pytest.TempPathFactory, ends: list[tuple[int, str, bool]]
) -> None:
    """Whatever else they have completed, run or been started as: by all attempts at them, and by all their ranks."""
    run = a_run(tmp_path_factory.mktemp("run"))
    (run.root / ".callbacks").mkdir()
    for place, (num, how, is_rank) in enumerate(ends):
        job = a_job(run, num, str(place))._replace(rank=int(is_rank))
        job_opens(job)
        if how != "runs":
            job_closes(job, failed=how == "fails")
    failed = {num for num, how, _ in ends if how == "fails"}
    job = asks(run.root)
    assert failed_at_most(job) == len(failed)
    assert failed_at_most(job, alive=lambda process: None) == len(failed)  # on other machines
    gone = failed | {num for num, how, _ in ends if how == "runs"}
    assert failed_at_most(job, alive=lambda process: False) == len(gone)


def test_a_job_whose_process_was_killed_counts(tmp_path: Path) -> None:
    """Also on Linux's word alone: its pid may be another's by now."""
    opens = (
        "from journals import a_job, a_run; from pathlib import Path; import os, signal;"
        "from hydra_callback_kit.journal.open_jobs import job_opens; job_opens(a_job(a_run(Path.cwd()), 3));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    job = asks(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", opens], cwd=tmp_path, env=environment, check=False)
    assert failed_at_most(job) == 1
    seen: list[ProcessIdentity] = []
    failed_at_most(job, alive=seen.append)
    assert [process.host for process in seen] == [os.uname().nodename]


def test_a_rank_that_learned_its_run_late_counts(tmp_path: Path) -> None:
    """It was not opened under this run, and has failed."""
    job = asks(tmp_path)
    job_closes(a_job(job.run, 2)._replace(rank=1), failed=True)
    assert failed_at_most(job) == 1


def test_what_is_not_known_counts_as_too_many(tmp_path: Path) -> None:
    """Somebody has removed the directory or a file, or put another one there; or nothing can be written."""
    job = a_job(a_run(tmp_path), ASKS)
    job_opens(job)  # there is no journal to open it in
    assert failed_at_most(job) == UNKNOWN
    (tmp_path / ".callbacks").mkdir()
    job_opens(a_job(job.run, 1))
    assert failed_at_most(job) == UNKNOWN
    job_opens(job)
    assert failed_at_most(job) == 0
    (directory,) = (tmp_path / ".callbacks").iterdir()
    (directory / "notes.txt").touch()
    assert failed_at_most(job) == UNKNOWN
    forget_open_jobs(job.run, only_if_empty=True)
    assert directory.exists()
    forget_open_jobs(job.run)
    assert not directory.exists()
    assert failed_at_most(job) == UNKNOWN


def test_a_forked_child_of_a_job_is_not_the_job(tmp_path: Path) -> None:
    """On Hydra 1.4 it calls the end hooks of the job as well when it leaves."""
    job = asks(tmp_path)
    job_closes(job._replace(pid=job.pid + 1), failed=True)
    job_opens(a_job(job.run, 1))
    assert failed_at_most(a_job(job.run, 1)) == 0
    job_closes(job, failed=False)
    forget_open_jobs(job.run, only_if_empty=True)
    assert len(list((tmp_path / ".callbacks").glob("*.open/*"))) == 1


@pytest.mark.parametrize("born", ["73401dcc:358185:4026531836", None])
@pytest.mark.parametrize("host", ["here", "a~b"])
def test_whether_a_process_lives_is_asked_of_the_one_that_runs_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, born: str | None
) -> None:
    """By all that is known of it; each attempt and each rank has a file, and a job that failed need not be asked for."""
    process = ProcessIdentity(host, os.getpid(), born)
    monkeypatch.setattr(open_jobs, "this_process", lambda: process)
    job, asked = asks(tmp_path), list[ProcessIdentity]()
    other = a_job(job.run, 3, "\udc80")
    for each in (other, other._replace(rank=1), other._replace(attempt="another")):
        job_opens(each)
    assert failed_at_most(job, alive=lambda process: asked.append(process) or True) == 0
    assert asked == [process] * 3
    job_closes(other, failed=True)
    asked.clear()
    assert failed_at_most(job, alive=lambda process: asked.append(process) or True) == 1
    assert asked == [process] * 2


def test_where_nothing_was_noted_nothing_is_closed_or_forgotten(tmp_path: Path) -> None:
    """Somebody may have removed it, and a directory that cannot be written has none."""
    run = a_run(tmp_path)
    for failed in (False, True):
        job_closes(a_job(run, 0), failed=failed)
    job = asks(tmp_path)
    job_opens(a_job(run, 1))
    (noted,) = (tmp_path / ".callbacks").glob("*.open")
    next(noted.glob("1~*")).unlink()
    job_closes(a_job(run, 1), failed=False)
    assert failed_at_most(job) == 0
    forget_open_jobs(run, only_if_empty=True)
    assert noted.is_dir()
    for _ in range(2):
        forget_open_jobs(run)
        forget_open_jobs(run, only_if_empty=True)
    assert not noted.exists()
