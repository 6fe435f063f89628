"""End to end under Ray: run with `-m ray`, in an environment that has the extra `ray`."""

import re

import pytest
from apps import ON_LAUNCHER, App
from terminal import cli

from hydra_callback_kit.journal.reader import read_run

pytestmark = pytest.mark.ray

CONFIG = """
defaults:
  - callbacks: [logging_callback, performance_callback, results_aggregator_callback]
  - _self_
x: 0
"""
ON_RAY = ON_LAUNCHER["ray"]


@pytest.mark.parametrize(
    ("wrong", "status", "attempts"),
    [
        ('raise ValueError("boom")', {"FAILED"}, 1),
        # Hydra 1.4 reports the job's end before its worker goes
        ("sys.exit(3)", {"INTERRUPTED", "FAILED"}, None),
        ("os.kill(os.getpid(), signal.SIGKILL)", {"INTERRUPTED"}, 4),
    ],
)
def test_every_job_has_a_row(app: App, wrong: str, status: set[str], attempts: int | None) -> None:
    """A job raises, exits or is killed (Ray tries it three times more): all rows are there, exit code 1 as without us."""
    app.write(f"if cfg.x == 1:\n    {wrong}\nreturn cfg.x", CONFIG)
    done = app.run("-m", *ON_RAY, "x=0,1,2", timeout_s=240)
    assert done.code == 1
    rows = {row["job_num"]: row for row in done.json("results.json")}
    assert rows[1]["status"] in status
    assert attempts in (None, rows[1]["attempts"])
    assert rows[0]["return_value"] == 0
    assert all(row["overrides"] == {"x": num} for num, row in rows.items())


@pytest.mark.in_ci
def test_ctrl_c_loses_no_row(app: App) -> None:
    """The app is interrupted while its jobs run: what started has a row, and the exit code is as without us."""
    app.write(
        """
        if cfg.x == 1:
            os.kill(int(os.environ["APP_PID"]), signal.SIGINT)
            time.sleep(30)
        return cfg.x
        """,
        CONFIG,
        'os.environ.setdefault("APP_PID", str(os.getpid()))',
    )
    done = app.run("-m", *ON_RAY, "x=0,1", timeout_s=240)
    assert done.code == app.run("-m", *ON_RAY, "x=0,1", "callbacks=[]", "hydra.sweep.dir=bare", timeout_s=240).code
    assert {row["job_num"]: row["status"] for row in done.json("results.json")}[1] == "INTERRUPTED"


@pytest.mark.in_ci
def test_those_that_decide_what_starts_work_over_all_workers(app: App) -> None:
    """Progress counts the workers' jobs; after a failure no job starts; the directory is not used a second time."""
    deciding = "[progress_callback,failure_limit_callback,output_guard_callback]"
    app.write('raise ValueError("boom")', CONFIG)  # all, for Ray need not begin with the first
    arguments = [*ON_RAY[:1], "+hydra.launcher.ray.init.num_cpus=1", *ON_RAY[2:], "x=0,1,2", f"+callbacks={deciding}"]
    done = app.run("-m", *arguments, "+hydra.launcher.ray.remote.max_retries=0", timeout_s=240)
    assert done.code == 1
    assert re.search(r"app: ([23])/3 jobs done, \1 failed, in ", done.stderr)  # Ray may give up on the last
    errors = [row["error"]["type"] for row in done.json("results.json")]
    assert errors.count("ValueError") == 1
    assert set(errors) == {"ValueError", "hydra_callback_kit.AbortRun"}
    assert "already holds a run that is FAILED: " in app.run("-m", *arguments).stderr
    dry = app.run("-m", *arguments, "+callbacks=dry_run_callback")
    assert (dry.code, dry.stdout.splitlines()[0]) == (0, "3 jobs")


def test_what_failed_goes_back_through_ray(app: App) -> None:
    """As one sweep: the others are not run, and the numbers are the jobs' own."""
    app.write('open("ran", "a").write(str(cfg.x))\nassert os.path.exists("again") or cfg.x % 2 == 0\nreturn cfg.x', CONFIG)
    done = app.run("-m", *ON_RAY, "x=0,1,2,3", timeout_s=240)
    assert done.code == 1
    (app.directory / "again").touch()
    said = cli("rerun", "out", "--launcher", "--execute", cwd=app.directory)
    assert said.code == 0, said.err
    assert sorted((app.directory / "ran").read_text("utf-8")) == list("011233")
    jobs = read_run(done.root).jobs
    assert [(job.return_value, job.attempts) for job in jobs] == [(0, 1), (1, 2), (2, 1), (3, 2)]
