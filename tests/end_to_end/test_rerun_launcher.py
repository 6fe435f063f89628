"""End to end: the jobs that are left of a sweep go back through its own launcher, as one sweep; the others are not run."""

import re
import signal
import subprocess

import pytest
from apps import LAUNCHERS, App
from terminal import cli

from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord

COUNTS = """
from hydra.experimental.callback import Callback

def ran(what):
    with open("ran", "a") as log:
        log.write(f"{what}\\n")

class Sees(Callback):
    def on_multirun_end(self, config, **kwargs):
        ran("end")
"""
CONFIG = """
defaults:
  - callbacks: [standard_callbacks, output_guard_callback, progress_callback, latest_run_callback]
  - _self_
x: 0
y: 0
batch_size: 32
db: {password: none}
hydra:
  callbacks:
    sees: {_target_: __main__.Sees}
"""
FAILS = """
ran(f"{cfg.x}{cfg.y} {cfg.batch_size}")
if not os.path.exists("again") and cfg.y == 1:
    raise ValueError("boom")
return {"sum": cfg.x + cfg.y}
"""


def ran(app: App) -> list[str]:
    """What the jobs wrote since the last look, in any order."""
    log = app.directory / "ran"
    said = sorted(log.read_text("utf-8").splitlines())
    log.unlink()
    return said


def go_on(app: App, *arguments: str) -> None:
    """Lets the sweep in `out` go on; from now on no job fails."""
    (app.directory / "again").touch()
    said = cli("rerun", "out", "--launcher", "--execute", *arguments, cwd=app.directory)
    assert said.code == 0, said.err + said.out


def summary(run: RunRecord) -> list[tuple[str, int]]:
    """Status and attempts of each job."""
    return [(job.status, job.attempts) for job in run.jobs]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_what_failed_goes_back_through_the_launcher(app: App, launcher: str) -> None:
    """Two of four jobs failed: those two run again, with their numbers, directories and an override, in the same sweep."""
    app.write(FAILS, CONFIG, COUNTS)
    done = app.sweep(launcher, "x=1,2", "y=0,1", "hydra.sweep.subdir=job_${hydra.job.num}")
    before = read_run(done.root)
    assert summary(before) == [("COMPLETED", 1), ("FAILED", 1)] * 2
    ran(app)
    go_on(app, "batch_size=16")
    assert ran(app) == ["11 16", "21 16", "end"]

    run = read_run(done.root)
    assert (run.run_id, run.status, run.planned_jobs) == (before.run_id, "COMPLETED", 4)
    assert summary(run) == [("COMPLETED", 1), ("COMPLETED", 2)] * 2
    assert [job.output_dir for job in run.jobs] == [done.root / f"job_{num}" for num in range(4)]
    assert [job.return_value for job in run.jobs] == [{"sum": 1}, {"sum": 2}, {"sum": 2}, {"sum": 3}]
    assert run.jobs[1].task_overrides == ("x=1", "y=1", "batch_size=16")
    assert {name: run.facts[name] for name in ("command", "overrides", "launcher")} == {
        name: before.facts[name] for name in ("command", "overrides", "launcher")
    }
    assert [job["status"] for job in done.json("results.json")] == ["COMPLETED"] * 4
    assert len({file.name.partition(".")[0] for file in done.root.glob(".callbacks/*.jsonl")}) == 1
    assert f"launcher: {launcher}" in (done.root / "multirun.yaml").read_text("utf-8")
    assert cli("rerun", "out", "--launcher", cwd=app.directory).code == 1  # nothing is left


def test_what_never_started_and_what_others_have_done(app: App) -> None:
    """A sweep was killed: it goes on with what is missing; a job that was run by itself meanwhile is left out."""
    kills = "if cfg.x == 1 and not os.path.exists('again'):\n    os.kill(os.getpid(), signal.SIGKILL)"
    app.write(f"ran(cfg.x)\n{kills}", CONFIG, COUNTS)
    done = app.run("-m", "x=0,1,2,3")
    assert done.code == -signal.SIGKILL
    ran(app)
    (app.directory / "again").touch()
    listed = cli("rerun", "out", "--launcher", "--missing", cwd=app.directory)
    (line,) = listed.out.splitlines()
    assert re.search(r" hydra\.job\.id=\S+_jobs_1-3 ", line)
    only = cli("rerun", "out", "--launcher", cwd=app.directory)
    assert "_jobs_1 " in only.out
    assert "Left out: 2 that never started; --missing includes them." in only.err
    assert cli("rerun", "out", "--execute", cwd=app.directory).code == 0  # job 1, by itself
    assert ran(app) == ["1"]
    code, said = shell(app, line)
    assert code == 0, said
    assert ran(app) == ["2", "3", "end"]
    assert "app: 2/2 jobs done, in " in said
    assert "4 completed" in said
    assert summary(read_run(done.root)) == [("COMPLETED", 1), ("COMPLETED", 2), ("COMPLETED", 1), ("COMPLETED", 1)]
    code, said = shell(app, line)  # the same line once more
    assert code == 0, said
    assert ran(app) == ["end"]


def test_without_a_callback_in_the_config(app: App) -> None:
    """Somebody has taken them out of it since: all the same only what is left starts, and is on record."""
    app.write(FAILS, CONFIG, COUNTS)
    done = app.run("-m", "x=1,2", "y=0,1")
    ran(app)
    app.write(
        FAILS,
        CONFIG.replace("standard_callbacks, output_guard_callback, progress_callback, latest_run_callback", ""),
        COUNTS,
    )
    go_on(app)
    assert ran(app) == ["11 32", "21 32", "end"]
    assert summary(read_run(done.root)) == [("COMPLETED", 1), ("COMPLETED", 2)] * 2


def test_a_record_that_cannot_be_read_starts_nothing(app: App) -> None:
    """Else all jobs would start."""
    app.write(FAILS, CONFIG, COUNTS)
    done = app.run("-m", "x=1,2", "y=0,1")
    ran(app)
    (line,) = cli("rerun", "out", "--launcher", cwd=app.directory).out.splitlines()
    (done.root / ".callbacks").rename(done.root / "kept")
    (done.root / ".callbacks").symlink_to(".callbacks")
    code, said = shell(app, line)
    assert (code, "was not started" in said or "does not go on" in said) == (1, True), said
    assert not (app.directory / "ran").exists() or set(ran(app)) == {"end"}


def test_a_job_that_fails_again(app: App) -> None:
    """The exit code says so, the other jobs have run, and the record says what it is."""
    app.write("ran(cfg.x)\nassert cfg.x != 1 and (cfg.x != 0 or os.path.exists('again'))", CONFIG, COUNTS)
    done = app.sweep("joblib", "x=0,1,2", "hydra.launcher.n_jobs=1")
    (app.directory / "again").touch()
    ran(app)
    said = cli("rerun", "out", "--launcher", "--execute", cwd=app.directory)
    assert said.code == 1
    assert "jobs 0-1 failed with exit code 1" in said.err
    assert ran(app)[:2] == ["0", "1"]
    assert summary(read_run(done.root)) == [("COMPLETED", 2), ("FAILED", 2), ("COMPLETED", 1)]
    assert read_run(done.root).status == "FAILED"


def test_secrets_are_given_again(app: App) -> None:
    """One that all jobs had, and one by which they differ; neither is written anywhere."""
    app.write("ran(f'{cfg.x} {cfg.db.password}')\nassert os.path.exists('again') or cfg.x == 0", CONFIG, COUNTS)
    done = app.run("-m", "db.password=swordfish,trout_and_salmon", "x=0,1")
    assert done.code == 1
    assert cli("rerun", "out", "--launcher", cwd=app.directory).code == 2
    few = cli("rerun", "out", "--launcher", "db.password=swordfish", "--execute", cwd=app.directory)
    assert "it would have 2 jobs, and had 4" in few.err
    ran(app)
    go_on(app, "db.password=swordfish,trout_and_salmon")
    assert ran(app) == ["1 swordfish", "1 trout_and_salmon", "end"]
    assert not any("salmon" in file.read_text("utf-8") for file in done.root.glob(".callbacks/*"))
    assert read_run(done.root).status == "COMPLETED"


def test_what_cannot_go_on_as_a_sweep(app: App) -> None:
    """Each is refused with what to do, before any job starts."""
    app.write("ran(cfg.x)\nraise ValueError", CONFIG, COUNTS)
    app.run("-m", "x=0,1")
    ran(app)

    def refused(*arguments: str, path: str = "out") -> str:
        said = cli("rerun", path, "--launcher", *arguments, cwd=app.directory)
        assert said.code == 2, said.out
        return said.err

    assert "x=5 would change which job of the sweep has which number, as it takes the place of x=0,1" in refused("x=5")
    assert "y=1,2 would change which job" in refused("y=1,2")
    app.run("hydra.run.dir=single")
    assert "is a single run, which no launcher starts" in refused(path="single")
    app.run("-m", "x=shuffle(0,1)", "hydra.sweep.dir=shuffled")
    assert "was shuffled" in refused(path="shuffled")

    (line,) = cli("rerun", "out", "--launcher", cwd=app.directory).out.splitlines()
    ran(app)
    app.write("ran(cfg.x)", CONFIG + "  sweeper: {params: {y: '1,2'}}", COUNTS)
    code, said = shell(app, line)
    assert code == 1
    assert "does not go on: it would have 4 jobs, and had 2" in said
    code, said = shell(app, line.replace("_jobs_0-1", "_jobs_5-1"))
    assert code == 1
    assert "names no jobs" in said
    code, said = shell(app, re.sub(r"id=[0-9T]+", "id=20200101T000000000000", line))
    assert code == 1
    assert "is not there" in said
    assert not (app.directory / "ran").exists() or set(ran(app)) == {"end"}  # Hydra 1.4 calls the end hooks all the same
    assert summary(read_run(app.directory / "out")) == [("FAILED", 1)] * 2


def shell(app: App, line: str) -> tuple[int, str]:
    """Runs a line that `rerun` has printed; returns the exit code and all that was said."""
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=app.directory, env=app.environment(), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr
