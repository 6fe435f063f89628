"""End to end: a job that takes too long is ended, the others go on; a sweep that takes too long starts no further job."""

import time

import pytest
from apps import LAUNCHERS, App, Finished
from terminal import cli

from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord

CONFIG = """
defaults:
  - callbacks: [logging_callback, time_limit_callback]
  - _self_
x: 0
slow: loops
hydra:
  callbacks:
    time_limit_callback: {job_s: 1.0, grace_s: 0.5}
"""
LIMIT = "hydra.callbacks.time_limit_callback"
PREAMBLE = """
import re, subprocess
from hydra_callback_kit import JobTimeoutError

def loops():
    while True:
        pass

def sleeps():
    time.sleep(60)

def waits():
    subprocess.run(["sleep", "60"])

def leaves():
    try:
        sleeps()
    except TimeoutError:
        sys.exit(0)

def goes_on():
    while True:
        try:
            time.sleep(60)
        except TimeoutError:
            print("goes on", flush=True)

def matches():
    re.match(r"(a+)+$", "a" * 50 + "b")

SLOW = {each.__name__: each for each in (loops, sleeps, waits, leaves, goes_on, matches)}
"""
BODY = """
if cfg.x == 1 and cfg.slow != "no":
    try:
        SLOW[cfg.slow]()
    except TimeoutError as error:
        print("cleans up after", type(error).__name__, flush=True)
        raise
else:
    time.sleep(0.1)
return cfg.x
"""


def _statuses(done: Finished) -> dict[int, str]:
    return {job.job_num: job.status for job in _run(done).jobs}


def _run(done: Finished) -> RunRecord:
    return read_run(done.root)


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_jobs_that_take_too_long_are_told_wherever_they_are(app: App, launcher: str) -> None:
    """In a loop, asleep and waiting for a child; each cleans up, and the others go on. One leaves by `sys.exit`."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.sweep(launcher, "x=1", "slow=no,loops,sleeps,waits,leaves,no", f"{LIMIT}.grace_s=20")
    assert done.code == 1
    assert _statuses(done) == {0: "COMPLETED", **dict.fromkeys(range(1, 5), "FAILED"), 5: "COMPLETED"}
    for job in _run(done).jobs[1:5]:
        assert job.error
        assert job.error.type == "hydra_callback_kit.JobTimeoutError"
        assert job.error.message == "the job took longer than job_s=1"
        assert "in main" in job.error.traceback
        assert "hydra_callback_kit/" not in job.error.traceback
        assert "killed_by" not in job.facts
        assert job.duration_s
        assert 1 <= job.duration_s < 10
        assert job.attempts == 1
    if launcher != "submitit_local":
        assert done.stdout.count("cleans up after JobTimeoutError") == 3
    assert "JobTimeoutError: the job took longer than job_s=1" in done.stderr


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_jobs_that_do_not_leave_are_killed_and_the_others_are_run(app: App, launcher: str) -> None:
    """One catches what is raised, the other is in C code that no exception reaches."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.sweep(launcher, "x=1", "slow=no,goes_on,matches,no")
    assert done.code == 1, done.stderr
    assert _statuses(done) == {0: "COMPLETED", 1: "FAILED", 2: "FAILED", 3: "COMPLETED"}
    for job, slow in zip(_run(done).jobs[1:3], ("goes_on", "matches"), strict=True):
        assert job.facts["killed_by"] == "time_limit_callback"
        assert job.duration_s
        assert 1.5 <= job.duration_s < 10
        assert job.error
        assert job.error.type == "hydra_callback_kit.JobTimeoutError"
        assert "its process was killed" in job.error.message
        assert slow in job.error.traceback
        assert "hydra_callback_kit/" not in job.error.traceback
    assert not list((done.root / ".callbacks").glob("*.last-words"))
    assert "its process was killed" in done.stderr


LOSES = """
if cfg.x == 1:
    SLOW["matches"]()
open(f"{os.environ['RAN']}/{cfg.x}", "a").write("again ")
time.sleep(8 if cfg.x in (0, 2) else 0)
return cfg.x
"""


def test_what_a_pool_loses_with_a_worker_that_is_killed_starts_again(app: App) -> None:
    """What had completed does not; what was ended does not either."""
    app.write(LOSES, CONFIG, PREAMBLE)
    ran = app.directory / "ran"
    ran.mkdir()
    done = app.sweep("joblib", "x=3,1,0,2", f"{LIMIT}.job_s=10", RAN=str(ran))
    assert done.code == 1, done.stderr
    run = _run(done)
    assert [job.status for job in run.jobs] == ["COMPLETED", "FAILED", "COMPLETED", "COMPLETED"]
    attempts = [job.attempts for job in run.jobs]
    assert attempts[:2] == [1, 1]
    assert [len(file.read_text().split()) for file in (ran / "3", ran / "0", ran / "2")] == [attempts[i] for i in (0, 2, 3)]
    assert max(attempts) == 2
    assert "Lost with the worker that was killed, and started again: job" in done.stdout


@pytest.mark.parametrize("action", ["fail", "interrupt"])
def test_a_single_run_is_told(app: App, action: str) -> None:
    """There is no launcher; what it counts as is what is asked for, and the exit code is 1."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.run("x=1", "slow=sleeps", f"{LIMIT}.action={action}")
    assert done.code == 1
    assert "cleans up after JobTimeoutError" in done.stdout
    run = _run(done)
    assert [job.status for job in run.jobs] == ["FAILED" if action == "fail" else "INTERRUPTED"]
    assert run.status == ("FAILED" if action == "fail" else "INTERRUPTED")
    assert run.jobs[0].error
    assert run.jobs[0].error.type == "hydra_callback_kit.JobTimeoutError"
    assert app.run("x=0", "hydra.run.dir=out/2").code == 0


def test_a_task_function_that_goes_on_is_told_again_where_nothing_can_be_killed(app: App) -> None:
    """The third time it has had enough; what it returns then counts."""
    body = """
    told = 0
    while told < 3:
        try:
            time.sleep(60)
        except TimeoutError:
            told += 1
    return told
    """
    app.write(body, CONFIG, PREAMBLE)
    done = app.sweep("basic", "x=1,2", f"{LIMIT}.job_s=0.3")
    assert done.code == 0, done.stderr
    assert [job.return_value for job in _run(done).jobs] == [3, 3]


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_what_was_interrupted_by_its_limit_is_found_as_such(app: App, launcher: str) -> None:
    """`rerun --interrupted` names it and not what has failed otherwise."""
    app.write("if cfg.x == 2: raise ValueError(2)\n" + BODY, CONFIG, PREAMBLE)
    done = app.sweep(
        launcher, "x=0,1,2", "slow=goes_on" if launcher == "joblib" else "slow=sleeps", f"{LIMIT}.action=interrupt"
    )
    assert done.code == 1
    assert _statuses(done) == {0: "COMPLETED", 1: "INTERRUPTED", 2: "FAILED"}
    said = cli("rerun", done.root, "--interrupted", cwd=app.directory)
    assert "x=1" in said.out
    assert "x=2" not in said.out


BUDGET = """
open(f"{os.environ['RAN']}/{cfg.x}", "w").close()
time.sleep(max(0, float(os.environ["UNTIL"]) - time.time()))
return cfg.x
"""
BUDGET_CONFIG = CONFIG.replace("job_s: 1.0, grace_s: 0.5", "sweep_s: 8")


@pytest.mark.parametrize(("launcher", "sweep_s"), [("basic", 8), ("joblib", 20)])
def test_a_sweep_starts_no_job_once_its_time_is_over(app: App, launcher: str, sweep_s: int) -> None:
    """Those that run go on to their end; what is left is said, and `rerun` runs it."""
    app.write(BUDGET, BUDGET_CONFIG)
    ran = app.directory / "ran"
    ran.mkdir()
    done = app.sweep(
        launcher, "x=0,1,2,3,4", f"{LIMIT}.sweep_s={sweep_s}", RAN=str(ran), UNTIL=str(time.time() + sweep_s + 3)
    )
    assert done.code == 1
    started = {int(file.name) for file in ran.iterdir()}
    assert started == ({0} if launcher == "basic" else {0, 1}), done.stdout
    assert {num for num, status in _statuses(done).items() if status == "COMPLETED"} == started
    which = "Job 1 was not started" if launcher == "basic" else "Jobs 2-4 were not started"
    last = done.stderr.strip().splitlines()[-2:]
    assert last == [
        f"{which}, nor is any that would follow: the time of the sweep is over (sweep_s={sweep_s}).",
        f"To run what is left: hydra-callback-kit rerun {done.root} --missing",
    ]
    assert "Traceback" not in done.stderr
    said = cli("rerun", done.root, "--missing", "--execute", cwd=app.directory, RAN=str(ran), UNTIL="0")
    assert said.code == 0, said.err
    assert [job.status for job in _run(done).jobs] == ["COMPLETED"] * 5


WAITS = """
from hydra.experimental.callback import Callback

class Waits(Callback):
    def on_job_start(self, config, **kwargs):
        time.sleep(11)
"""


def test_jobs_that_the_launcher_has_already_are_refused_where_they_start(app: App) -> None:
    """Each has a process of its own, which comes to its task function when the time of the sweep is over."""
    app.write(
        BUDGET,
        BUDGET_CONFIG.replace("callbacks:\n    time", "callbacks:\n    waits: {_target_: __main__.Waits}\n    time"),
        WAITS,
    )
    ran = app.directory / "ran"
    ran.mkdir()
    done = app.sweep("submitit_local", "x=0,1", f"{LIMIT}.sweep_s=10", RAN=str(ran), UNTIL="0")
    assert done.code == 1
    assert not [*ran.iterdir()]
    assert "Jobs 0-1 were not started" in done.stderr
    errors = [job.error and job.error.type for job in _run(done).jobs]
    assert errors == ["hydra_callback_kit.SweepTimeoutError"] * 2


WRAPPED = """
defaults:
  - callbacks: [logging_callback, conditional_callback]
  - /callbacks@hydra.callbacks.conditional_callback.callbacks.limit: time_limit_callback
  - _self_
x: 0
slow: sleeps
limited: true
hydra:
  callbacks:
    conditional_callback: {condition_key: limited, callbacks: {limit: {job_s: 1}}}
"""


def test_within_a_condition_it_limits_as_well(app: App) -> None:
    """Where it holds for the sweep."""
    app.write(BODY, WRAPPED, PREAMBLE)
    done = app.sweep("basic", "x=0,1")
    assert _statuses(done) == {0: "COMPLETED", 1: "FAILED"}, done.stderr


def test_each_rank_counts_its_own_time(app: App) -> None:
    """One that hangs is told, and the job has failed by it."""
    app.write("time.sleep(60 if os.environ['RANK'] == '1' else 0)\nreturn 1", CONFIG)
    ranks = [app.start(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_PORT="29511") for rank in (0, 1)]
    codes = [rank.communicate(timeout=60) and rank.returncode for rank in ranks]
    assert codes == [0, 1]
    (job,) = read_run(app.directory / "out").jobs
    assert job.status == "FAILED"
    assert [(rank.rank, rank.status, rank.error and rank.error.type) for rank in job.ranks] == [
        (0, "COMPLETED", None),
        (1, "FAILED", "hydra_callback_kit.JobTimeoutError"),
    ]


OPTUNA = """
defaults:
  - callbacks: [time_limit_callback]
  - _self_
  - override hydra/sweeper: optuna
x: 0
hydra:
  callbacks: {time_limit_callback: {sweep_s: 15}}
  sweeper:
    n_trials: 300
    n_jobs: 2
    params: {x: 'range(0, 9)'}
"""


@pytest.mark.optuna
@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_sweeper_that_goes_on_and_on_is_ended(app: App, launcher: str) -> None:
    """It would ask for the next trials; what it has come to is on record."""
    app.write("time.sleep(2)\nreturn cfg.x", OPTUNA)
    done = app.sweep(launcher)
    assert done.code == 1
    assert "the time of the sweep is over (sweep_s=15)" in done.stderr
    assert "Traceback" not in done.stderr
    statuses = [job.status for job in _run(done).jobs]
    assert statuses.count("COMPLETED") >= len(statuses) - 2


@pytest.mark.ray
def test_a_worker_of_rays_that_hangs_is_killed(app: App) -> None:
    """As often as Ray starts it again; here it does not."""
    app.write(BODY, CONFIG, PREAMBLE)
    done = app.sweep("ray", "x=0,1,2", "slow=matches", "+hydra.launcher.ray.remote.max_retries=0")
    assert done.code == 1, done.stderr
    assert _statuses(done) == {0: "COMPLETED", 1: "FAILED", 2: "COMPLETED"}
    job = _run(done).jobs[1]
    assert (job.facts["killed_by"], job.attempts) == ("time_limit_callback", 1)
