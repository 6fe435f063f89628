"""What the job that ends last finds out about the others."""

import json
import os
from pathlib import Path

import pytest
from journals import a_run, write_job

from hydra_callback_kit.hooks import after_the_sweep
from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.writer import write_line


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A sweep with two jobs that have ended, and one of Slurm's on another machine that has not; returns its directory."""
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "submitit_slurm"})
    write_line(run, "run_ended", {})
    for num in range(2):
        write_job(run, num, "COMPLETED")
    (file,) = (tmp_path / ".callbacks").iterdir()
    written = file.read_text("utf-8")
    write_job(run, 2, None)
    line = json.loads(file.read_text("utf-8").removeprefix(written))
    line |= {"host": "node17"}
    line["facts"] |= {"batch": {"system": "slurm", "job": "12", "restarts": 0}}
    file.write_text(f"{written}{json.dumps(line)}\n", "utf-8")
    writer._files.clear()
    after_the_sweep.asking_slurm.cache_clear()
    return tmp_path


@pytest.mark.parametrize(
    ("squeue", "go_on"),
    [
        ("echo 12 12 RUNNING 0", True),
        ("echo 12 12 PENDING 0", True),
        ("echo 12 12 CANCELLED 0", False),
        ("true", False),
        ("exit 1", True),
    ],
)
def test_a_job_that_slurm_has_ended_does_not_go_on(
    monkeypatch: pytest.MonkeyPatch, elsewhere: Path, squeue: str, go_on: bool
) -> None:
    """It says no word; what Slurm does not know of its user's has ended, and where it does not answer nobody knows."""
    script = elsewhere / "bin" / "squeue"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\n{squeue}\n", "utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    assert after_the_sweep._others_go_on(a_run(elsewhere)) is go_on
