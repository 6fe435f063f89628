"""End to end: the callbacks on, a real sweep under each launcher, and what a user would then read."""

import json
import re
import signal

import pytest
from apps import HYDRA_VERSION, LAUNCHERS, App, Finished, without_numbers

from hydra_callback_kit.journal.reader import read_run

CALLBACKS = """
defaults:
  - callbacks: [logging_callback, performance_callback, results_aggregator_callback]
  - _self_
x: 0
db:
  password: hunter2
"""
BODY = """
if cfg.x == 1:
    raise ValueError("boom")
return {"double": 2 * cfg.x, "loss": float("nan")}
"""


def bare(app: App, launcher: str, *arguments: str) -> Finished:
    """The same sweep without us."""
    return app.sweep(launcher, "callbacks=[]", "hydra.sweep.dir=bare", *arguments)


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_failed_job_is_named_and_the_others_are_kept(app: App, launcher: str) -> None:
    """One of three jobs fails: summary, performance.json and exit code are right under every launcher."""
    app.write(BODY, CALLBACKS)
    done = app.sweep(launcher, "x=0,1,2")
    assert done.code == bare(app, launcher, "x=0,1,2").code == 1
    assert "2 completed, 1 failed" in done.stdout
    assert re.search(r"job 1 FAILED: .*x=1\n\s+ValueError: boom\n\s+\S+/out/1\n", done.stdout)
    summary = done.json("performance.json")
    assert summary["mode"] == "MULTIRUN"
    assert [job["status"] for job in summary["jobs"]] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert (summary["jobs_completed"], summary["jobs_failed"], summary["jobs_interrupted"]) == (2, 1, 0)
    assert summary["min_job_s"] <= summary["median_job_s"] <= summary["p95_job_s"] <= summary["max_job_s"]
    assert summary["slowest_job"]["duration_s"] == summary["max_job_s"] <= summary["total_s"]
    assert summary["slowest_job"]["overrides"] == {"x": summary["slowest_job"]["job_num"]}
    assert summary["cpu_s"] == pytest.approx(sum(job["cpu_s"] for job in summary["jobs"]))
    assert all(job["peak_rss_bytes"] > 5_000_000 for job in summary["jobs"])
    rows = done.json("results.json")
    assert [(row["job_num"], row["overrides"], row["status"]) for row in rows] == [
        (0, {"x": 0}, "COMPLETED"),
        (1, {"x": 1}, "FAILED"),
        (2, {"x": 2}, "COMPLETED"),
    ]
    assert [row["return_value"] for row in rows] == [{"double": 0, "loss": "NaN"}, None, {"double": 4, "loss": "NaN"}]
    assert (rows[1]["error"]["type"], rows[1]["error"]["message"]) == ("ValueError", "boom")
    assert [row["facts"].keys() for row in rows] == [{"cpu_s", "peak_rss_bytes"}] * 3
    assert [row["config"]["x"] for row in rows] == [0, 1, 2]


def test_each_job_logs_to_its_own_file(app: App, launcher: str) -> None:
    """Number, overrides and directory at the start; status, duration, and value or error at the end; the traceback once."""
    app.write(BODY, CALLBACKS)
    done = app.sweep(launcher, "x=1,2")
    failed, completed = done.log(0), done.log(1)
    assert re.search(rf"Job 1 starts: .*x=2 \(in {re.escape(str(done.root / '1'))}\)", completed)
    assert re.search(r'Job 1 COMPLETED after [\d.]+ \w+: \{"double": 4, "loss": "NaN"\}', completed)
    assert re.search(r"ERROR\] - Job 0 FAILED after [\d.]+ \w+: ValueError: boom\n", failed)
    assert failed.count("Traceback (most recent call last)") == 1
    assert "in main" in failed


EXIT, KILL = "sys.exit(3)", "os.kill(os.getpid(), signal.SIGKILL)"
WAYS_TO_LEAVE = [
    ("basic", EXIT, 3),
    ("joblib", KILL, 1),
    ("submitit_local", f"{EXIT if HYDRA_VERSION < (1, 4) else KILL}", 1),
]
if HYDRA_VERSION < (1, 4):  # with Hydra 1.4.0rc3 and joblib 1.6, a sweep without us hangs when a worker calls sys.exit
    WAYS_TO_LEAVE.append(("joblib", EXIT, 3))


@pytest.mark.parametrize(("launcher", "leave", "code"), WAYS_TO_LEAVE)
def test_a_job_that_never_reports_its_end_is_not_lost(app: App, launcher: str, leave: str, code: int) -> None:
    """A job leaves by sys.exit or is killed: the exit code is the one without us, and what can be known is written."""
    app.write(f"if cfg.x == 1:\n    {leave}\nreturn cfg.x", CALLBACKS)
    done = app.sweep(launcher, "x=0,1,2")
    assert done.code == code
    jobs = {job["job_num"]: job["status"] for job in done.json("performance.json")["jobs"]}
    assert jobs.pop(1) == ("FAILED" if HYDRA_VERSION >= (1, 4) and leave == EXIT else "INTERRUPTED")
    assert set(jobs.values()) <= {"COMPLETED", "INTERRUPTED"}
    assert "job 1 " in done.stdout
    rows = {row["job_num"]: row for row in done.json("results.json")}
    assert {num: row["status"] for num, row in rows.items() if num != 1} == jobs
    assert rows[1]["status"] == ("FAILED" if HYDRA_VERSION >= (1, 4) and leave == EXIT else "INTERRUPTED")
    assert all(row["overrides"] == {"x": num} for num, row in rows.items())
    # joblib ends the other workers, in the first millisecond of a job perhaps
    told = [row for num, row in rows.items() if num == 1 or row["status"] == "COMPLETED"]
    assert all(row["config"]["x"] == row["job_num"] for row in told)


@pytest.mark.parametrize("leave", [EXIT, KILL])
def test_the_exit_code_is_as_without_us(app: App, leave: str) -> None:
    """Where the whole process goes, in a sweep under the basic launcher, and what was written until then can be read."""
    app.write(f"if cfg.x == 1:\n    {leave}\nreturn cfg.x", CALLBACKS)
    done = app.sweep("basic", "x=0,1,2")
    assert done.code == bare(app, "basic", "x=0,1,2").code != 0
    statuses = [job.status for job in read_run(done.root).jobs]
    assert statuses == ["COMPLETED", "FAILED" if HYDRA_VERSION >= (1, 4) and leave == EXIT else "INTERRUPTED"]


def test_ctrl_c_still_leaves_a_summary(app: App) -> None:
    """A real SIGINT in the middle of a sweep: the interrupted job is named, the exit code is as without us."""
    app.write('print("started", flush=True)\nif cfg.x == 1:\n    time.sleep(60)', CALLBACKS)
    done = app.run_and_interrupt("-m", "x=0,1,2", at=["started.*started"])
    without_us = app.run_and_interrupt("-m", "x=0,1,2", "callbacks=[]", "hydra.sweep.dir=bare", at=["started.*started"])
    assert done.code == without_us.code
    assert "1 completed, 1 interrupted" in done.stdout
    assert [job["status"] for job in done.json("performance.json")["jobs"]] == ["COMPLETED", "INTERRUPTED"]


@pytest.mark.parametrize("presses", [2, 3])
def test_ctrl_c_while_the_files_are_written(app: App, presses: int) -> None:
    """Pressed once more, the files are there all the same; and again, the others are. The exit code is that of one.

    Hydra 1.4 calls the end hooks after Ctrl-C, so that there is one try more.
    """
    lost = presses == 3 and HYDRA_VERSION < (1, 4)
    preamble = """
    from hydra_callback_kit import PerformanceCallback

    class Slow(PerformanceCallback):
        def at_the_end(self, config):
            print("writing", flush=True)
            time.sleep(0.5)
            super().at_the_end(config)
    """
    config = "hydra: {callbacks: {performance_callback: {_target_: __main__.Slow}}}"
    app.write('print("started", flush=True)\ntime.sleep(60)', CALLBACKS + config, preamble)
    done = app.run_and_interrupt("-m", "x=0,1", at=["started", "writing", "writing"][:presses])
    assert done.code == -signal.SIGINT
    assert "Exception ignored" not in done.stderr
    assert [row["status"] for row in done.json("results.json")] == ["INTERRUPTED"]
    assert (done.root / "performance.json").exists() != lost
    assert ("Slow did not finish" in done.stdout) == lost


def test_half_a_surrogate_pair_breaks_no_log(app: App) -> None:
    """A name of a file that is not UTF-8, in an error and in what a job returns: logged with what can be written."""
    name = 'os.fsdecode(b"data-\\xff.csv")'
    app.write(f"if cfg.x == 1:\n    raise ValueError({name})\nreturn {name}", CALLBACKS)
    done = app.sweep("basic", "x=0,1")
    assert "hydra_callback_kit/" not in done.stderr  # Hydra 1.4 logs the job's exception itself, and has that trouble
    assert r"COMPLETED after" in done.log(0)
    assert r"data-\udcff.csv" in done.log(0)
    assert r"ValueError: data-\udcff.csv" in done.log(1)
    assert HYDRA_VERSION >= (1, 4) or "Traceback" in done.log(1)
    assert [row["status"] for row in done.json("results.json")] == ["COMPLETED", "FAILED"]


def test_a_single_run_is_logged_and_timed(app: App) -> None:
    """A single run has the same files and the same fields, and a job's number is 0."""
    app.write(BODY, CALLBACKS)
    done = app.run("x=3")
    assert done.code == 0
    assert done.json("performance.json")["mode"] == "RUN"
    assert [job["job_num"] for job in done.json("performance.json")["jobs"]] == [0]
    assert "Run starts in" in done.stdout
    assert '"double": 6' in done.log()
    (row,) = done.json("results.json")
    assert (row["job_num"], row["job_id"], row["overrides"], row["return_value"]["double"]) == (0, None, {"x": 3}, 6)


def test_a_single_run_that_leaves_early_is_recorded(app: App) -> None:
    """Hydra 1.3 calls no end hook after sys.exit: the end of the process makes up for it."""
    app.write("sys.exit(3)", CALLBACKS)
    done = app.run()
    assert done.code == 3
    (job,) = done.json("performance.json")["jobs"]
    assert job["status"] == ("FAILED" if HYDRA_VERSION >= (1, 4) else "INTERRUPTED")


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_nothing_shows_a_secret(app: App, launcher: str) -> None:
    """No log and no file of ours holds a secret: given as an override, carried by an interpolation, an error or a result."""
    body = """
    if cfg.x == 1:
        raise ValueError(f"no login with {cfg.db.password}")
    return {"token": cfg.db.password, "tokens_seen": 3, "notes": ["used " + cfg.db.password]}
    """
    app.write(body, CALLBACKS + "\nurl: u:${db.password}@h")
    done = app.sweep(launcher, "x=0,1", "db.password=swordfish", "hydra.callbacks.logging_callback.log_config=true")
    # Hydra 1.4 writes the traceback of job 1 to its log, as it is
    ours = [*done.root.glob(".callbacks/*"), *done.root.rglob("*.json"), done.root / "0" / "app.log"]
    assert len(ours) >= 4
    for file in ours:
        assert "swordfish" not in file.read_text("utf-8"), file
    assert "password: <redacted>" in done.log(0)
    assert "url: u:<redacted>@h" in done.log(0)
    assert '"token": "<redacted>", "tokens_seen": 3' in done.log(0)
    assert "no login with <redacted>" in without_numbers((done.root / "results.json").read_text("utf-8"))
    assert "db.password=<redacted>" in done.log(0)


def test_an_override_that_is_an_interpolation_is_recorded_as_given(app: App) -> None:
    """It is not resolved: it may lead to a secret, or nowhere."""
    app.write("return 1", CALLBACKS)
    done = app.run("x=${db.password}", "+far=${nope}")
    assert done.code == 0
    assert "Job 0 starts: x=${db.password} +far=${nope}" in done.log()
    assert read_run(done.root).jobs[0].task_overrides == ("x=${db.password}", "+far=${nope}")


@pytest.mark.parametrize("chdir", ["true", "false"])
def test_a_changed_directory_and_nested_subdirs_make_no_difference(app: App, launcher: str, chdir: str) -> None:
    """Relative sweep directories hold when jobs change directory; nested subdirectories, spaces and unicode are found."""
    app.write(BODY, CALLBACKS)
    sweep = ["hydra.sweep.dir='out put/ä'", "hydra.sweep.subdir='a/${hydra.job.num}/b'", f"hydra.job.chdir={chdir}"]
    app.sweep(launcher, "x=0,1", *sweep)
    root = app.directory / "out put" / "ä"
    assert (root / "performance.json").exists()
    rows = json.loads((root / "results.json").read_text("utf-8"))
    assert [row["output_dir"] for row in rows] == [str(root / "a" / num / "b") for num in "01"]
    assert list(app.directory.rglob(".callbacks")) == [root / ".callbacks"]


def test_a_sweep_directory_used_twice_shows_the_latest_run(app: App) -> None:
    """The second sweep's summary speaks of the second sweep; the first stays in the journal."""
    app.write(BODY, CALLBACKS)
    app.sweep("basic", "x=0,1,2")
    done = app.sweep("basic", "x=5")
    assert len(done.json("performance.json")["jobs"]) == 1
    assert [row["overrides"] for row in done.json("results.json")] == [{"x": 5}]
    assert len({file.name.partition(".")[0] for file in done.root.glob(".callbacks/*")}) == 2
