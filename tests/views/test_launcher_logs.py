"""What a launcher has left of a job: its logs, and why the batch system has ended it."""

import socket
from pathlib import Path
from typing import Any

import pytest

from hydra_callback_kit.journal import batch_reason
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.launcher_logs import left_of


def a_run(root: Path, *jobs: JobRecord, host: str | None = None) -> RunRecord:
    """A run of these jobs."""
    return RunRecord("20260101T000000-aa", root, "MULTIRUN", "INTERRUPTED", jobs, host=host)


def a_job(root: Path, num: int, job_id: str, first: str | None = None, **batch: Any) -> JobRecord:
    """A job that was interrupted, and its logs."""
    for name in filter(None, (job_id, first)):
        folder = root / ".submitit" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}_0_log.out").touch()
        (folder / f"{name}_0_log.err").write_text(
            f"slurmstepd: error: *** JOB {name} ON n1 CANCELLED AT 2026-11-26T07:38:10 ***\n", "utf-8"
        )
        (folder / f"{name}_submitted.pkl").touch()
    facts = {"batch": {"system": "slurm", "restarts": 0, **batch}} if batch else {}
    return JobRecord(num, "INTERRUPTED", job_id=job_id, first_job_id=first, root=root, facts=facts)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `sacct` is asked; it says that job 12_3 met its time limit."""
    words: list[str] = []

    def answer(*command: str) -> str:
        words.extend(command)
        return "JobID|State\n12_3|TIMEOUT\n"

    monkeypatch.setattr(batch_reason, "answer_of", answer)
    return words


def test_the_logs_of_the_attempt_that_counts_and_slurms_reason(tmp_path: Path, asked: list[str]) -> None:
    """Of a job that was run again those of the last attempt; one question for all."""
    job = a_job(tmp_path, 3, "12_3", job="15", array_job="12", array_index="3", cluster="ci")
    again = a_job(tmp_path, 4, "40", "12_4", job="40", cluster="ci")
    left = left_of(a_run(tmp_path, job, again, host="login"), [job, again])
    assert left[3].logs == (".submitit/12_3/12_3_0_log.err", ".submitit/12_3/12_3_0_log.out")
    assert left[3].state == "TIMEOUT"
    assert left[3].said == "slurmstepd: error: *** JOB 12_3 ON n1 CANCELLED AT 2026-11-26T07:38:10 ***"
    assert [log.split("/")[1] for log in left[4].logs] == ["40", "40"]
    assert left[4].state == ""
    assert asked == ["sacct", "-X", "-P", "--clusters=ci", "-o", "JobID,State", "-j", "12_3,40"]


def test_a_number_says_nothing_to_another_cluster(tmp_path: Path, asked: list[str]) -> None:
    """Without a cluster's name jobs are asked for where the sweep was started; of two clusters for none."""
    job = a_job(tmp_path, 3, "12_3", job="15", array_job="12", array_index="3")
    assert left_of(a_run(tmp_path, job, host="elsewhere"), [job])[3].state == ""
    other = a_job(tmp_path, 4, "13", job="13", cluster="ci")
    assert left_of(a_run(tmp_path, job, other, host=socket.gethostname()), [job, other])[3].state == ""
    assert asked == []
    assert left_of(a_run(tmp_path, job, host=socket.gethostname()), [job])[3].state == "TIMEOUT"


@pytest.mark.parametrize("subdir", ["4", None])
def test_the_log_of_a_job_that_rerun_has_submitted(tmp_path: Path, asked: list[str], subdir: str | None) -> None:
    """It lies in the job's directory, or in the sweep's where there was none; logs of another id are not its."""
    job = a_job(tmp_path, 4, "40", "12_4", job="40", cluster="ci")
    for file in (tmp_path / ".submitit" / "40").iterdir():
        file.unlink()
    job.subdir = subdir
    (tmp_path / "4").mkdir()
    log = f"{subdir}/slurm-40.out" if subdir else "slurm-40.out"
    said = "slurmstepd: error: *** JOB 40 ON n2 CANCELLED AT 2026-11-26T09:00:00 DUE TO TIME LIMIT ***"
    (tmp_path / log).write_text(f"{said}\n", "utf-8")
    (tmp_path / "4" / "slurm-39.out").touch()
    assert left_of(a_run(tmp_path, job), [job])[4][::2] == ((log,), said)
    assert asked


@pytest.mark.parametrize("job_id", ["../x", "..", ".hidden", "a/b", "", "\x00", "x" * 300])
def test_an_id_leads_nowhere_else(tmp_path: Path, job_id: str) -> None:
    """It comes from a journal, which may be anybody's."""
    (tmp_path / "run" / ".submitit").mkdir(parents=True)
    (tmp_path / "run" / "x").mkdir()
    (tmp_path / "run" / "x" / "x_log.err").touch()
    job = JobRecord(0, "INTERRUPTED", job_id=job_id, root=tmp_path / "run")
    assert left_of(a_run(tmp_path / "run", job), [job])[0].logs == ()
