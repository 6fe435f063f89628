"""End to end: after so many failures no further job of a sweep starts."""

import pytest
from apps import LAUNCHERS, App
from terminal import cli

from hydra_callback_kit.journal.reader import read_run

CONFIG = """
defaults:
  - callbacks: [logging_callback, failure_limit_callback]
  - _self_
x: 0
broken: [1, 2]
"""
BODY = """
open(f"{os.environ['RAN']}/{cfg.x}", "w").close()
if cfg.x in cfg.broken:
    raise ValueError("boom")
return cfg.x
"""
LIMIT = "hydra.callbacks.failure_limit_callback.max_failures"


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_no_job_starts_after_the_limit(app: App, launcher: str) -> None:
    """Jobs in one worker, one after another: two failures, and those after them do not run; who was counted is said."""
    app.write(BODY, CONFIG)
    ran = app.directory / "ran"
    ran.mkdir()
    one_at_a_time = ["hydra.launcher.n_jobs=1"] if launcher == "joblib" else []
    done = app.sweep(launcher, "x=0,1,2,3,4,5", f"{LIMIT}=2", *one_at_a_time, RAN=str(ran))
    assert done.code == 1
    started = {int(file.name) for file in ran.iterdir()}
    assert {1, 2} <= started
    run = read_run(done.root)
    statuses = {job.job_num: job.status for job in run.jobs}
    assert {num for num, status in statuses.items() if status == "FAILED"} >= {1, 2}
    refused = [job for job in run.jobs if job.job_num not in started]
    assert all(job.error and job.error.type == "hydra_callback_kit.AbortRun" for job in refused)
    if launcher != "submitit_local":  # whose jobs here all start at once
        assert started == {0, 1, 2}
        assert "Job 3 (x=3) was not started: 2 jobs of the sweep failed, and the limit is max_failures=2." in done.stderr
        assert "The first was job 1 (x=1): ValueError: boom" in done.stderr


LOOKS = """
from hydra_callback_kit.journal.follower import RunFollower
looks = RunFollower.look

def look(self, **closely):
    with open(f"{os.environ['RAN']}/looked", "a") as file:
        file.write(".")
    looks(self, **closely)

RunFollower.look = look
"""


def test_the_journal_is_asked_only_where_the_limit_may_be_reached(app: App) -> None:
    """One has failed, and two may: those after it do not ask what became of each. What they noted goes with the sweep."""
    app.write(BODY, CONFIG, LOOKS)
    ran = app.directory / "ran"
    ran.mkdir()
    done = app.sweep("joblib", "x=0,1,3,4,5", f"{LIMIT}=2", "hydra.launcher.n_jobs=1", RAN=str(ran))
    assert [job.status for job in read_run(done.root).jobs].count("COMPLETED") == 4
    assert not (ran / "looked").exists()
    assert not list(done.root.glob(".callbacks/*.open"))
    again = app.sweep("joblib", "x=0,1,2,3,4,5", f"{LIMIT}=2", "hydra.launcher.n_jobs=1", RAN=str(ran))
    assert again.code == 1
    assert (ran / "looked").read_text() != ""


def test_a_rerun_is_not_refused(app: App) -> None:
    """The sweep has reached its limit; its jobs can be run again all the same, and those that never started too."""
    app.write(BODY, CONFIG)
    ran = app.directory / "ran"
    ran.mkdir()
    done = app.sweep("basic", "x=0,1,2,3", RAN=str(ran))
    assert done.code == 1
    assert {file.name for file in ran.iterdir()} == {"0", "1"}
    said = cli("rerun", done.root, "broken=[]", "--missing", "--execute", cwd=app.directory, RAN=str(ran))
    assert said.code == 0, said.err
    assert [job.status for job in read_run(done.root).jobs] == ["COMPLETED"] * 4


def test_a_pipe_in_the_journal_neither_holds_a_job_up_nor_hides_a_failure(app: App) -> None:
    """What can be read counts, and it is said that not all could be."""
    makes_a_pipe = """
    if cfg.x == 0:
        from pathlib import Path
        name = next(Path("out/.callbacks").glob("*.jsonl")).name.partition(".")[0]
        os.mkfifo(f"out/.callbacks/{name}.pipe.jsonl")
    """
    app.write(makes_a_pipe + BODY.replace("boom", "\\x1b[31mboom"), CONFIG)
    ran = app.directory / "ran"
    ran.mkdir()
    done = app.sweep("basic", "x=0,1,2", RAN=str(ran))
    assert {file.name for file in ran.iterdir()} == {"0", "1"}
    assert "Not all jobs that have failed can be counted" in done.stdout
    assert r"The first was job 1 (x=1): ValueError: \x1b[31mboom" in done.stderr
