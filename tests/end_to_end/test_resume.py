"""End to end: the same command again, after a sweep was stopped, runs what is left of it."""

import re
import signal
import time
from collections import Counter

import pytest
from apps import LAUNCHERS, App, Finished
from terminal import cli

from hydra_callback_kit import load_run
from hydra_callback_kit.journal.records import RunRecord

CONFIG = """
defaults:
  - callbacks: [standard_callbacks, output_guard_callback, resume_callback]
  - _self_
x: 0
y: 0
device: cpu
model: {name: net, width: 64}
"""
RAN = """
def ran(what):
    with open("ran", "a") as log:
        log.write(f"{what}\\n")
"""
PARENT_DIES = """
if cfg.x == 12 and not os.path.exists("again"):
    os.kill(int(open("parent").read()), signal.SIGKILL)
    os._exit(9)
ran(cfg.x)
return cfg.x * 2
"""
NOTES_ITSELF = (
    RAN
    + """
from hydra.experimental.callback import Callback

class Notes(Callback):
    def on_multirun_start(self, config, **kwargs):
        open("parent", "w").write(str(os.getpid()))
"""
)
NOTES = "hydra:\n  callbacks:\n    notes: {_target_: __main__.Notes}\n"
TWENTY = "x=" + ",".join(map(str, range(20)))


def ran(app: App) -> Counter[str]:
    """How often each job ran to its end so far."""
    log = app.directory / "ran"
    return Counter(log.read_text("utf-8").split()) if log.exists() else Counter()


def again(app: App, launcher: str, *arguments: str, **environment: str) -> Finished:
    """The same command again; from now on nothing dies."""
    (app.directory / "again").touch()
    return app.sweep(launcher, *arguments, **environment)


def is_whole(run: RunRecord, count: int) -> bool:
    """Whether a sweep has so many jobs, which have completed all."""
    return (run.status, run.planned_jobs, run.count("COMPLETED"), len(run.jobs)) == ("COMPLETED", count, count, count)


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_parent_is_killed(app: App, launcher: str) -> None:
    """In the middle of 20 jobs: the same command runs the others, each once, and the record is one sweep."""
    app.write(PARENT_DIES, CONFIG + NOTES, NOTES_ITSELF)
    app.sweep_and_be_killed(launcher, TWENTY)
    app.wait_for_what_outlives()
    before, run_id = ran(app), load_run(app.directory / "out").run_id
    assert before
    assert "12" not in before
    done = again(app, launcher, TWENTY)
    assert done.code == 0, done.stderr + done.stdout
    run = load_run(done.root)
    assert is_whole(run, 20)
    assert run.run_id == run_id
    assert [job.return_value for job in run.jobs] == [2 * num for num in range(20)]
    assert ran(app) == Counter(map(str, range(20)))
    assert [job["status"] for job in done.json("results.json")] == ["COMPLETED"] * 20
    assert f"launcher: {launcher}" in (done.root / "multirun.yaml").read_text("utf-8")
    assert re.search(r"The sweep goes on: \d+ of 20 jobs are not run again", done.stdout)
    assert "holds this sweep, which goes on there" in done.stdout


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_worker_is_killed(app: App, launcher: str) -> None:
    """It takes jobs along that had not ended; the same command runs them, and those that had ended do not run again."""
    dies = (
        "if cfg.x == 3 and not os.path.exists('again'):\n    os.kill(os.getpid(), signal.SIGKILL)\nran(cfg.x)\nreturn cfg.x"
    )
    app.write(dies, CONFIG, RAN)
    assert app.sweep(launcher, "x=range(0,8)").code != 0
    before = {job.job_num for job in load_run(app.directory / "out").jobs if job.status == "COMPLETED"}
    done = again(app, launcher, "x=range(0,8)")
    assert done.code == 0, done.stderr + done.stdout
    assert is_whole(load_run(done.root), 8)
    assert all(ran(app)[str(num)] == 1 for num in before)


COUNTS = (
    "ran(cfg.x)\nif cfg.x == 1 and not os.path.exists('again'):\n    raise ValueError('boom')\nreturn {'twice': cfg.x * 2}"
)


def test_rerun_runs_single_jobs_of_it(app: App) -> None:
    """Where the sweep would go on, one job does: neither `resume_callback` nor a retry's changes are asked for it."""
    config = CONFIG.replace("resume_callback]", "resume_callback, retry_callback]")
    app.write(COUNTS, f"{config}hydra: {{callbacks: {{retry_callback: {{retries: 1, overrides: {{y: 3}}}}}}}}\n", RAN)
    assert app.sweep("basic", "x=0,1,2").code == 1
    (app.directory / "again").touch()
    assert cli("rerun", "out", "--failed", "--execute", cwd=app.directory).code == 0
    assert is_whole(load_run(app.directory / "out"), 3)


def test_a_sweep_that_grows(app: App) -> None:
    """Finished jobs keep their numbers, those that failed are run again, new ones get free numbers; none is lost."""
    app.write(COUNTS, CONFIG, RAN)
    assert app.sweep("basic", "x=0,1,2").code == 1
    done = again(app, "basic", "x=7,2,1", "device=cuda", "hydra.callbacks.resume_callback.ignore=[device]")
    assert done.code == 0, done.stderr
    run = load_run(done.root)
    assert [(job.overrides["x"], job.status, job.attempts) for job in run.jobs] == [
        (0, "COMPLETED", 1),
        (1, "COMPLETED", 2),
        (2, "COMPLETED", 1),
        (7, "COMPLETED", 1),
    ]
    assert (run.status, run.planned_jobs) == ("COMPLETED", 4)
    assert "1 of 3 jobs is not run again (2 completed). 2 jobs are run: 1, 3." in done.stdout
    assert "Job 0 stays on record, and is not asked for any more." in done.stdout
    assert ran(app) == Counter({"0": 1, "1": 2, "2": 1, "7": 1})
    # as they ran: it was another device that did not matter
    assert (
        "3 of 3 jobs are not run again"
        in again(app, "basic", "x=0,1,2", "device=cpu", "hydra.callbacks.resume_callback.ignore=[device]").stdout
    )
    assert "2 of 3 jobs are not run again (0, 2 completed)" in again(app, "basic", "x=0,1,2").stdout
    shown = cli("show", "out", cwd=app.directory)
    taken_over = re.findall(r"\d jobs? taken over(?: by [^;]*?-m x=\S+)?", shown.out.replace("\n", " "))
    assert [re.sub(" by .* -m ", " by ", each) for each in taken_over] == [
        "1 job taken over by x=7,2,1",
        "3 jobs taken over by x=0,1,2",
        "2 jobs taken over",
    ], shown.out


def test_what_is_left_of_a_sweep_that_grew(app: App) -> None:
    """It was killed after it went on with another command: `rerun --missing` knows what is left."""
    app.write("if cfg.x == 8:\n    os.kill(os.getpid(), signal.SIGKILL)\nran(cfg.x)\nreturn cfg.x", CONFIG, RAN)
    assert app.sweep("basic", "x=0,1").code == 0
    assert app.sweep("basic", "x=7,8,9").code == -signal.SIGKILL
    assert "3 completed, 1 interrupted, 1 not started" in cli("show", "out", cwd=app.directory).out
    listed = cli("rerun", "out", "--missing", cwd=app.directory)
    assert [re.findall(r"x=\d|job\.num=\d", line) for line in listed.out.splitlines()] == [
        ["x=9", "job.num=2"],  # the sweeper's own number was free
        ["x=8", "job.num=4"],
    ]
    as_sweep = cli("rerun", "out", "--missing", "--launcher", cwd=app.directory)
    assert as_sweep.code == 2
    assert "it has gone on with another command since" in as_sweep.err


def test_nothing_matches(app: App) -> None:
    """The keys in which jobs differ are named, and all jobs are run, under new numbers."""
    app.write(COUNTS, CONFIG, RAN)
    assert app.sweep("basic", "x=2,3").code == 0
    done = again(app, "basic", "x=2,3", "device=cuda", "model.width=32")
    assert done.code == 0, done.stderr
    assert 'differ in\n  device: "cpu" -> "cuda"\n  model.width: 64 -> 32\n' in done.stdout
    assert [job.job_num for job in load_run(done.root).jobs] == [0, 1, 2, 3]
    assert ran(app) == Counter({"2": 2, "3": 2})


def test_failures_may_stay(app: App) -> None:
    """With `FAILED` in `skip` nothing is run, and the exit code says that jobs have failed."""
    app.write(COUNTS, CONFIG, RAN)
    assert app.sweep("basic", "x=1,2", "hydra/launcher=joblib").code == 1
    done = again(app, "basic", "x=1,2", "hydra.callbacks.resume_callback.skip=[COMPLETED,FAILED]")
    assert (done.code, ran(app)) == (1, Counter({"1": 1, "2": 1}))
    assert "2 of 2 jobs are not run again (0 failed; 1 completed). Nothing is left to run." in done.stdout
    assert re.search(r"RuntimeError: job 0 is not run again. When the sweep was started before: \S+: boom", done.stderr)


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_what_a_callback_did_not_let_start_is_no_failure(app: App, launcher: str) -> None:
    """It is `FAILED` on record, but has not run: where failures stay as they are, it is run."""
    body = "ran(cfg.x)\nif not os.path.exists('again'):\n    raise ValueError('boom')"
    app.write(body, CONFIG.replace("resume_callback]", "resume_callback, failure_limit_callback]"), RAN)
    skip = "hydra.callbacks.resume_callback.skip=[COMPLETED,FAILED]"
    jobs = ("x=0,1,2,3,4,5", "hydra.launcher.n_jobs=2" if launcher == "joblib" else "hydra.job.name=app")
    assert app.sweep(launcher, *jobs, skip).code == 1
    failed = ran(app)
    assert 0 < len(failed) < 6
    again(app, launcher, *jobs, "hydra.callbacks.failure_limit_callback.max_failures=9", skip)
    assert ran(app) == Counter(map(str, range(6)))
    assert load_run(app.directory / "out").count("COMPLETED") == 6 - len(failed)


def test_what_the_time_of_a_sweep_did_not_let_start_is_no_failure(app: App) -> None:
    """The same where the launcher had it already, when the time was over."""
    body = "ran(cfg.x)\nif not os.path.exists('again'):\n    raise SweepTimeoutError('over')"
    app.write(body, CONFIG, RAN + "from hydra_callback_kit import SweepTimeoutError")
    skip = "hydra.callbacks.resume_callback.skip=[COMPLETED,FAILED]"
    assert app.sweep("basic", "x=0", skip).code == 1
    assert again(app, "basic", "x=0", skip).code == 0
    assert ran(app) == Counter({"0": 2})


def test_into_a_new_directory(app: App) -> None:
    """Jobs of the newest sweep, or of the one that is named, are taken over: one table, and only what is new is run."""
    app.write(COUNTS, CONFIG + "hydra: {sweep: {dir: 'sweeps/${now:%H-%M-%S-%f}'}}\n", RAN)
    resume = "hydra.callbacks.resume_callback.resume_from="
    where = "hydra.sweep.dir=sweeps/${now:%H-%M-%S-%f}"
    assert app.run("-m", "x=0,2", where, f"{resume}latest").code == 0  # the first one
    second = app.run("-m", "x=2,0,3", where, f"{resume}latest")
    assert second.code == 0, second.stderr
    assert re.search(r"2 of 3 jobs are not run again \(0-1 completed\), taken over from \S+/sweeps/", second.stdout)
    assert ran(app) == Counter({"0": 1, "2": 1, "3": 1})
    first, root = sorted({file.parent.parent.resolve() for file in app.directory.glob("sweeps/*/.callbacks/*.jsonl")})
    run = load_run(root)
    assert is_whole(run, 3)
    assert [job.return_value for job in run.jobs] == [{"twice": 4}, {"twice": 0}, {"twice": 6}]
    assert [job.output_dir for job in run.jobs] == [first / "1", first / "0", root / "2"]
    assert run.jobs[0].facts["taken_over"] == str(first)
    third = app.run("-m", "x=3", f"{resume}{root}", "hydra.sweep.dir=out")
    assert (third.code, ran(app)["3"]) == (0, 1), third.stderr
    refused = app.run("-m", "x=3", f"{resume}conf", "hydra.sweep.dir=other")
    assert (refused.code, (app.directory / "other").exists()) == (1, False)
    assert "resume_from=conf holds no sweep of this app" in refused.stderr


def test_the_code_has_changed(app: App) -> None:
    """It is said; or all jobs are run again."""
    app.write(COUNTS, CONFIG, RAN)
    assert app.sweep("basic", "x=0,2").code == 0
    app.write(f"# changed\n{COUNTS}", CONFIG, RAN)
    warned = again(app, "basic", "x=0,2")
    assert "the code has changed since: app.py; what was done with it counts all the same" in warned.stdout
    assert ran(app) == Counter({"0": 1, "2": 1})
    app.write(f"# changed again\n{COUNTS}", CONFIG, RAN)
    assert "has changed" not in again(app, "basic", "x=0,2", "hydra.callbacks.resume_callback.on_changed_code=ignore").stdout
    app.write(f"# and again\n{COUNTS}", CONFIG, RAN)
    assert again(app, "basic", "x=0,2", "hydra.callbacks.resume_callback.on_changed_code=run").code == 0
    assert ran(app) == Counter({"0": 2, "2": 2})
    assert [job.attempts for job in load_run(app.directory / "out").jobs] == [2, 2]


def test_chosen_only_after_the_crash(app: App) -> None:
    """What Hydra has saved of each job says what was asked of it; secrets are not compared."""
    config = CONFIG.replace(", resume_callback", "") + "password: first\n"
    app.write(COUNTS, config, RAN)
    assert app.sweep("basic", "x=0,1,2").code == 1
    (app.directory / "config.yaml").write_text(config.replace("first", "second"), "utf-8")
    chosen = "callbacks=[standard_callbacks,output_guard_callback,resume_callback]"
    done = again(app, "basic", "x=0,1,2", chosen)
    assert done.code == 0, done.stderr
    assert is_whole(load_run(done.root), 3)
    assert ran(app) == Counter({"0": 1, "1": 2, "2": 1})


def test_secrets_that_jobs_differ_in(app: App) -> None:
    """Which one a job had nobody knows: it is run again, under its own number. One that all share does not matter."""
    app.write(COUNTS, CONFIG + "api_key: none\n", RAN)
    assert app.sweep("basic", "x=0,2", "api_key=topsecret1").code == 0
    assert again(app, "basic", "x=0,2", "api_key=topsecret2").code == 0
    assert ran(app) == Counter({"0": 1, "2": 1})
    done = again(app, "basic", "x=0", "api_key=topsecret1,topsecret3")
    assert done.code == 0
    assert "is run in any case: a secret in which jobs differ is not compared" in done.stdout
    assert ran(app) == Counter({"0": 3, "2": 1})
    assert again(app, "basic", "x=0", "api_key=topsecret4").code == 0
    assert ran(app) == Counter({"0": 4, "2": 1}), "the jobs on record differed in it"
    assert "topsecret" not in "".join(file.read_text("utf-8") for file in done.root.glob(".callbacks/*"))


def test_a_sweep_that_still_runs(app: App) -> None:
    """It is not started a second time; of two that go on at once one does."""
    slow = "ran(cfg.x)\nopen('runs', 'w').close()\nwhile not os.path.exists('again'):\n    time.sleep(0.05)\nreturn cfg.x"
    app.write(slow, CONFIG.replace(" output_guard_callback,", ""), RAN)
    first = app.start("-m", "x=0,1")
    while not (app.directory / "runs").exists():
        time.sleep(0.05)
    refused = app.run("-m", "x=0,1")
    assert refused.code == 1
    assert re.search(r"does not go on: it still runs on \S+\. Wait for its end", refused.stderr)
    first.kill()
    first.communicate()
    (app.directory / "runs").unlink()
    both = [app.start("-m", "x=0,1") for _ in range(2)]
    time.sleep(6)
    (app.directory / "again").touch()
    ends = [(process.communicate()[1], process.returncode) for process in both]
    assert sorted(code for _, code in ends) == [0, 1], ends
    assert "Wait for its end" in next(errors for errors, code in ends if code)
    assert is_whole(load_run(app.directory / "out"), 2)
    assert ran(app) == Counter({"0": 2, "1": 1})


def test_a_job_that_runs_on_without_its_sweep(app: App) -> None:
    """Under submitit it is neither run nor taken over: a warning names it, and the exit code is 1."""
    app.write(
        "if cfg.x == 1:\n"
        "    while not os.path.exists('go'):\n        time.sleep(0.1)\n"
        "if cfg.x == 2 and not os.path.exists('again'):\n"
        "    os.kill(int(open('parent').read()), signal.SIGKILL)\n"
        "ran(cfg.x)",
        CONFIG + NOTES,
        NOTES_ITSELF,
    )
    app.sweep_and_be_killed("submitit_local", "x=0,1,2")
    while not ran(app):
        time.sleep(0.1)
    done = again(app, "submitit_local", "x=0,1,2")
    assert done.code == 1
    assert "Job 1 was started before, and may still run or wait in a queue" in done.stdout
    assert ran(app) == Counter({"0": 1, "2": 1})
    (app.directory / "go").touch()
    app.wait_for_what_outlives()
    assert again(app, "submitit_local", "x=0,1,2").code == 0
    assert ran(app) == Counter({"0": 1, "1": 1, "2": 1})


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("skip=[DONE]", "allowed is COMPLETED, FAILED or INTERRUPTED"),
        ("skip=[COMPLTED]", "Write skip=[COMPLETED]."),
        ("resume_from=''", "Write resume_from=null for none."),
        ("on_changed_code=fail", "allowed is warn, run or ignore"),
        ("ignore=[devise]", "the config has no such key. Did you mean device?"),
    ],
)
def test_a_parameter_that_is_not_allowed(app: App, parameter: str, said: str) -> None:
    """Nothing is run, and the message says what to type."""
    app.write(COUNTS, CONFIG, RAN)
    done = app.run("-m", "x=0,2", f"hydra.callbacks.resume_callback.{parameter}")
    assert done.code == 1
    assert said in done.stderr
    assert (ran(app), done.root.exists()) == (Counter(), False)
