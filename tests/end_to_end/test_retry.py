"""End to end: jobs that fail or are killed are started again before the sweep ends, and the last attempt counts."""

import json
from pathlib import Path

import pytest
from apps import HYDRA_VERSION, LAUNCHERS, App, Finished
from terminal import cli

from hydra_callback_kit import load_run

CONFIG = """
defaults:
  - callbacks: [retry_callback]
  - _self_
x: 0
batch_size: 32
how: {}
"""
BODY = """
from pathlib import Path
before = len(list(Path(os.environ["RAN"]).glob(f"{cfg.x}-*")))
Path(os.environ["RAN"], f"{cfg.x}-{before}").touch()
how, _, once = cfg.how.get(f"x{cfg.x}", "").partition("_")
if once and before:
    how = ""
if how == "fails":
    raise ConnectionError(f"no connection {before}")
if how == "exits":
    sys.exit(3)
if how == "kills":
    os.kill(os.getpid(), signal.SIGKILL)
return cfg.x * 10
"""
RETRY = "hydra.callbacks.retry_callback."


def sweep(app: App, launcher: str, how: dict[int, str], *arguments: str, count: int = 4, config: str = CONFIG) -> Finished:
    """Runs a sweep whose jobs end in these ways."""
    app.write(BODY, config)
    (app.directory / "ran").mkdir()
    ways = [f"+how.x{num}={way}" for num, way in how.items()]
    return app.sweep(launcher, f"x={','.join(map(str, range(count)))}", *ways, *arguments, RAN=str(app.directory / "ran"))


def starts(app: App) -> dict[int, int]:
    """How often each job was started."""
    ran = [int(file.name.partition("-")[0]) for file in (app.directory / "ran").iterdir()]
    return {num: ran.count(num) for num in sorted(set(ran))}


def ended(root: Path) -> dict[int, tuple[str, int]]:
    """How each job ended, and after how many attempts, by its record."""
    return {job.job_num: (job.status, job.attempts) for job in load_run(root).jobs}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_what_fails_once_leaves_no_trace_in_the_exit_code(app: App, launcher: str) -> None:
    """It is started again with its number and in its directory, the others are not; the record tells of both attempts."""
    done = sweep(app, launcher, {1: "fails_once"})
    assert done.code == 0, done.stderr
    assert starts(app) == {0: 1, 1: 2, 2: 1, 3: 1}
    assert ended(done.root) == {num: ("COMPLETED", 2 if num == 1 else 1) for num in range(4)}
    job = load_run(done.root).jobs[1]
    (earlier,) = job.earlier
    assert (job.return_value, job.output_dir) == (10, done.root / "1")
    assert (earlier.status, earlier.error and earlier.error.kinds[:2]) == ("FAILED", ("ConnectionError", "OSError"))
    assert "Job 1 (x=1 +how.x1=fails_once) failed by ConnectionError: no connection 0" in done.stdout
    assert "is started again: attempt 2 of 3." in done.stdout


def test_what_fails_each_time_has_failed(app: App) -> None:
    """The exit code is that of the last attempts; what is worth an attempt is known by the name of a base class."""
    done = sweep(app, "basic", {1: "fails", 2: "exits"}, f"{RETRY}retries=1", f"{RETRY}errors=[OSError]")
    assert done.code == 1
    assert starts(app) == {0: 1, 1: 2, 2: 1, 3: 1}
    assert ended(done.root) == {0: ("COMPLETED", 1), 1: ("FAILED", 2), 2: ("FAILED", 1), 3: ("COMPLETED", 1)}
    assert "is not started again; it is the last of 2 attempts." in done.stdout
    assert "ConnectionError: no connection 1" in done.stderr
    said = cli("failed", done.root)
    assert "attempt 1 (x=1 +how.x1=fails +how.x2=exits): ConnectionError: no connection 0" in said.out
    (row, _) = json.loads(cli("failed", done.root, "--json").out)
    assert [each["error"]["message"] for each in row["earlier_attempts"]] == ["no connection 0"]


@pytest.mark.parametrize("launcher", [each for each in LAUNCHERS if each != "joblib" or HYDRA_VERSION < (1, 4)])
def test_a_job_that_leaves_by_sys_exit_fails_alone(app: App, launcher: str) -> None:
    """On Hydra 1.3 the basic launcher ends there, and joblib's takes the pool along: the others run all the same.

    On Hydra 1.4 joblib waits for ever then, without a callback too.
    """
    done = sweep(app, launcher, {1: "exits_once"})
    assert done.code == 0, done.stderr
    assert {num: status for num, (status, _) in ended(done.root).items()} == dict.fromkeys(range(4), "COMPLETED")
    assert starts(app)[1] == 2


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_who_kills_its_worker_once_is_started_again(app: App, launcher: str) -> None:
    """What was done is not, and what never started is."""
    done = sweep(app, launcher, {1: "kills_once"}, count=5)
    assert done.code == 0, done.stderr
    assert {num: status for num, (status, _) in ended(done.root).items()} == dict.fromkeys(range(5), "COMPLETED")
    assert starts(app)[1] == 2
    assert [job.return_value for job in load_run(done.root).jobs] == [0, 10, 20, 30, 40]
    assert load_run(done.root).jobs[1].earlier[0].status == "INTERRUPTED"


def test_who_kills_its_worker_each_time_costs_the_others_nothing(app: App) -> None:
    """It is started by itself in the end, and has failed; each other one completes."""
    done = sweep(app, "joblib", {1: "kills", 2: "fails_once"}, count=5)
    assert done.code == 1
    assert "RuntimeError: job 1 was killed" in done.stderr
    statuses = {num: status for num, (status, _) in ended(done.root).items()}
    assert statuses == {0: "COMPLETED", 1: "INTERRUPTED", **dict.fromkeys((2, 3, 4), "COMPLETED")}
    assert starts(app)[1] <= 3


def test_a_retry_is_another_than_the_job_was(app: App) -> None:
    """Half of the value that it had in its last attempt, and the type stays; the record has what each attempt had."""
    done = sweep(app, "basic", {1: "fails"}, f"+{RETRY}overrides.batch_size=*0.5", f"{RETRY}wait_s=0.01", count=2)
    assert done.code == 1
    job = load_run(done.root).jobs[1]
    assert job.task_overrides == ("x=1", "+how.x1=fails", "batch_size=8")
    assert [each.task_overrides[2:] for each in job.earlier] == [(), ("batch_size=16",)]
    assert "and is started again with batch_size=16: attempt 2 of 3." in done.stdout
    assert "Started again in 0.01 s, at " in done.stdout
    assert "Started again in 0.02 s, at " in done.stdout


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("+hydra.callbacks.retry_callback.overrides.batch_sise=16", "overrides.batch_sise=16 is not valid"),
        ("+hydra.callbacks.retry_callback.overrides.batch_size=abc", "overrides.batch_size='abc' is not valid"),
        ("+hydra.callbacks.retry_callback.overrides.how=*0.5", "allowed is a number to be multiplied there"),
        ("hydra.callbacks.retry_callback.errors=[ConectionError]", "Write ConnectionError"),
        ("hydra.callbacks.retry_callback.retries=0", "retries=0 is not valid"),
    ],
)
def test_what_makes_no_sense_fails_before_any_job(app: App, argument: str, said: str) -> None:
    """With the key, and what to type; nothing is left behind."""
    done = sweep(app, "basic", {}, argument)
    assert done.code == 1
    assert said in done.stderr, done.stderr
    assert starts(app) == {}
    assert not (done.root / ".callbacks").exists()


def test_the_value_that_a_change_does_not_fit_is_not_shown(app: App) -> None:
    """It may be a secret, however short."""
    done = sweep(app, "basic", {}, "+token=k12", f"+{RETRY}overrides.token=*2")
    assert done.code == 1
    assert "It is a text: write the value itself." in done.stderr
    assert "k12" not in done.stdout + done.stderr


def test_a_single_run_says_that_it_is_not_tried_again(app: App) -> None:
    """Once."""
    app.write(BODY, CONFIG)
    (app.directory / "ran").mkdir()
    done = app.run("+how.x0=fails", RAN=str(app.directory / "ran"))
    assert done.code == 1
    assert done.stdout.count("This is a single run: if it fails, it has failed.") == 1
    assert starts(app) == {0: 1}


LIMIT = """
defaults:
  - callbacks: [retry_callback, failure_limit_callback]
  - _self_
x: 0
how: {}
"""


def test_the_limit_counts_jobs_and_not_attempts(app: App, launcher: str) -> None:
    """One that will be started again has not failed yet."""
    done = sweep(app, launcher, {0: "fails_once", 1: "fails_once"}, config=LIMIT)
    assert done.code == 0, done.stderr
    assert {num: status for num, (status, _) in ended(done.root).items()} == dict.fromkeys(range(4), "COMPLETED")


def test_once_the_limit_is_reached_nothing_is_started_again(app: App) -> None:
    """The one that fails for good ends the sweep; of what was refused no further attempt is made."""
    done = sweep(app, "basic", {0: "fails", 2: "fails_once"}, f"{RETRY}retries=1", config=LIMIT)
    assert done.code == 1
    assert starts(app) == {0: 2, 1: 1, 2: 1, 3: 1}
    assert "Job 2 (x=2 +how.x0=fails +how.x2=fails_once) was not started: 1 job of the sweep failed" in done.stderr


ABORTS = """
from hydra_callback_kit import RecordingCallback, abort

class Aborts(RecordingCallback):
    def on_job_start(self, config, **kwargs):
        if config.x == 2:
            abort(config, "not this one")
"""


def test_what_a_callback_stops_is_not_started_again(app: App, launcher: str) -> None:
    """Nor is anything else: under submitit it comes wrapped, and inside of what the launcher returns."""
    app.write(BODY, CONFIG + "\nhydra: {callbacks: {aborts: {_target_: __main__.Aborts}}}", ABORTS)
    (app.directory / "ran").mkdir()
    done = app.sweep(launcher, "x=0,1,2", "+how.x0=fails", RAN=str(app.directory / "ran"))
    assert done.code == 1
    assert starts(app)[0] == 1
    assert 2 not in starts(app)


def test_ctrl_c_ends_it(app: App) -> None:
    """While it waits, too."""
    app.write(BODY, CONFIG)
    ran = app.directory / "ran"
    ran.mkdir()
    done = app.run_and_interrupt(
        *("-m", "x=0,1", "+how.x0=fails", f"{RETRY}wait_s=600", f"+hydra.job.env_set.RAN={ran}"),
        at=["Started again in 600 s"],
    )
    assert done.code != 0
    assert starts(app) == {0: 1, 1: 1}
