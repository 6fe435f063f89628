"""All that acts through the conductor, at once: a sweep that fails, loses a worker and its parent, and still ends whole."""

from collections import Counter

import pytest
from apps import LAUNCHERS, App

from hydra_callback_kit import load_run

CONFIG = """
defaults:
  - callbacks:
    - standard_callbacks
    - compose_once_callback
    - device_callback
    - resume_callback
    - retry_callback
    - time_limit_callback
  - _self_
x: 0
hydra:
  callbacks:
    retry_callback: {retries: 2}
    device_callback: {devices: ["7", "8"], variable: MY_DEVICE}
    time_limit_callback: {job_s: 60}
"""
PREAMBLE = """
from pathlib import Path

PARENT, DONE = os.environ.setdefault("PARENT", str(os.getpid())), Path("marks")

def first_time(what):
    try:
        os.close(os.open(DONE / what, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True
"""
BODY = """
    if cfg.x == 2 and first_time("fails"):
        raise RuntimeError("the first time")
    if cfg.x == 4 and int(PARENT) != os.getpid() and first_time("worker"):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    if cfg.x == 9 and first_time("parent"):
        os.kill(int(PARENT), signal.SIGKILL)
        time.sleep(2)
    with (DONE / "completed").open("a") as file:
        file.write(f"{cfg.x}\\n")
    assert os.environ["MY_DEVICE"] in ("7", "8")
    return cfg.x * 1.5
"""


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_sweep_that_lost_its_parent_ends_whole(app: App, launcher: str) -> None:
    """The same command again: what had completed is not run again, what failed or was killed is, and the table is one."""
    app.write(BODY, CONFIG, PREAMBLE)
    marks = app.directory / "marks"
    marks.mkdir()
    app.sweep_and_be_killed(launcher, "x=range(12)")
    app.wait_for_what_outlives()
    before = Counter(map(int, (marks / "completed").read_text().split()))
    kept = {job.job_num for job in load_run(app.directory / "out").jobs if job.status == "COMPLETED"}
    second = app.sweep(launcher, "x=range(12)")
    assert second.code == 0, second.stderr
    after = Counter(map(int, (marks / "completed").read_text().split()))
    run = load_run(app.directory / "out")
    assert (run.status, run.planned_jobs) == ("COMPLETED", 12)
    assert {job.job_num: job.return_value for job in run.jobs} == {num: num * 1.5 for num in range(12)}
    assert all(after[num] == before[num] == 1 for num in kept)
    assert {job.facts["device"] for job in run.jobs} <= {"7", "8"}
    assert all(job.attempts > 1 for job in run.jobs if job.overrides["x"] == 2)
