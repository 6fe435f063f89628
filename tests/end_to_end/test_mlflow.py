"""Sweeps in MLflow: as many runs as jobs below one parent, whatever happens to jobs, parent and server."""

import os
import re
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest
import tracker_app
from apps import App, Finished
from mlflow_server import MlflowServer
from ranks import start_ranks, torchrun_rank
from tracker_app import sync

from hydra_callback_kit.journal.reader import read_run

pytestmark = pytest.mark.mlflow

BODY = """
mlflow.log_metric("own", cfg.x)
mlflow.log_param("x", f"mine {cfg.x}" if cfg.x == 2 else cfg.x)
open(f"{cfg.done}-{cfg.x}", "w").close()
if cfg.x == 3:
    raise ValueError("boom")
if cfg.x == cfg.killed:
    while not all(os.path.exists(f"{cfg.done}-{x}") for x in range(cfg.killed)):
        time.sleep(0.1)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
return {"loss": cfg.x / 2, "deep": {"nan": float("nan"), "name": "x"}}
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """One for all tests: each has an experiment of its own. MLFLOW_TEST_STORE says which database, if not SQLite."""
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"), os.environ.get("MLFLOW_TEST_STORE"))
    server.start()
    yield server
    server.kill()


PATIENT = ", timeout_s: 100, setup_timeout_s: 200"
"""On a busy machine a server that lives takes longer than people have patience for."""


def write(
    app: App,
    server: MlflowServer,
    body: str = BODY,
    callbacks: str = "mlflow_callback",
    preamble: str = "",
    more: str = "",
    timeouts: str = PATIENT,
) -> None:
    """An app whose sweeps go into an experiment that is called as its directory."""
    settings = f"{{experiment: {app.directory.name}, tracking_uri: '{server.uri}', tags: {{team: vision}}{timeouts}}}"
    tracker_app.write(
        app,
        callbacks,
        body,
        preamble=f"import mlflow\n{textwrap.dedent(preamble)}",
        more=f"mlflow_callback: {settings}{more}",
    )


def warnings_of(done: Finished) -> list[str]:
    """What was said of MLflow."""
    logs = [file.read_text("utf-8") for file in done.root.rglob("*.log")]
    return [line for text in (done.stdout, *logs) for line in text.splitlines() if "could not be told" in line]


def test_twelve_jobs(launcher: str, app: App, server: MlflowServer) -> None:
    """One of them fails, one is killed; each has a run, the parent is ended, and the app's own calls are where they belong.

    Under the basic launcher the killed job takes the sweep's process along: what is left is the next look's to say.
    """
    write(app, server)
    app.sweep(launcher, "x=range(12)", "killed=11", timeout_s=300)
    if launcher == "basic":
        assert sync(app.directory / "out", "--address", server.uri).endswith("12 jobs: 1 updated, 11 there already")
    (sweep,) = server.runs(app.directory.name, kind="sweep")
    jobs = {int(run.tags["hydra.job_num"]): run for run in server.runs(app.directory.name, kind="job")}
    assert len(server.runs(app.directory.name)) == 13
    assert sorted(jobs) == list(range(12))
    expected = {3: "FAILED", 11: "KILLED"}
    assert {num: run.status for num, run in jobs.items()} == {num: expected.get(num, "FINISHED") for num in range(12)}
    assert sweep.status in ("FAILED", "KILLED")
    for num, run in jobs.items():
        assert run.tags["mlflow.parentRunId"] == sweep.run_id
        assert run.metrics["own"] == num
        assert run.params["db.url"].startswith("postgres://me:<redacted")
        assert run.tags["team"] == "vision"
        assert run.tags["hydra.overrides"] == f"x={num} killed=11"
        if num not in expected:
            assert run.metrics["loss"] == num / 2
            assert "deep.nan" in run.metrics
            assert server.files(run) == [".hydra/config.yaml", ".hydra/hydra.yaml", ".hydra/overrides.yaml", "app.log"]
    assert jobs[3].tags["hydra.error"] == "ValueError: boom"
    assert (jobs[2].params["x"], jobs[2].tags["hydra.param.x"]) == ("mine 2", "2")
    assert b"hunter-two" not in server.everything()
    assert sync(app.directory / "out", "--address", server.uri).endswith("12 jobs: 12 there already")


STRAY = """
from hydra.experimental.callback import Callback

class Stray(Callback):
    def on_run_start(self, config, **kwargs):
        settings = config.hydra.callbacks.mlflow_callback
        mlflow.set_tracking_uri(settings.tracking_uri)
        mlflow.start_run(experiment_id="0", run_name="stray of " + settings.experiment)

    def on_run_end(self, config, **kwargs):
        print("afterwards:", mlflow.active_run(), os.environ.get("MLFLOW_EXPERIMENT_ID"))
"""


def test_a_single_run(app: App, server: MlflowServer) -> None:
    """It has no parent; a run that was still active is ended, and what the app had chosen is put back."""
    body = """
    active = mlflow.active_run()
    inner = mlflow.start_run(nested=True)
    assert inner.data.tags["mlflow.parentRunId"] == active.info.run_id
    assert inner.info.experiment_id == active.info.experiment_id
    return 1
    """
    write(app, server, body, preamble=STRAY, more=", stray: {_target_: __main__.Stray}")
    done = app.run()
    assert done.code == 0, done.stderr
    assert "afterwards: None None" in done.stdout
    assert [run.status for run in server.runs(app.directory.name)] == ["FINISHED", "FINISHED"]
    (own,) = server.runs(app.directory.name, kind="job")
    assert "mlflow.parentRunId" not in own.tags
    assert own.metrics == {"return_value": 1}
    strays = [run for run in server.runs("Default") if run.name == f"stray of {app.directory.name}"]
    assert [run.status for run in strays] == ["FINISHED"]


@pytest.mark.parametrize("ends", ['raise ValueError("the first time")', "os.kill(os.getpid(), signal.SIGKILL)"])
def test_what_another_attempt_has_told_is_not_in_the_way(app: App, server: MlflowServer, ends: str) -> None:
    """MLflow refuses a param that has another value, and the app fails: an attempt that has told one has its own run."""
    told = "raise" in ends
    body = f"""
    if not os.path.exists(f"{{cfg.done}}-{{cfg.x}}"):
        open(f"{{cfg.done}}-{{cfg.x}}", "w").close()
        {ends}
    mlflow.log_param("x", f"mine {{cfg.x}}")
    mlflow.log_metric("own", cfg.x)
    return cfg.x
    """
    write(app, server, body, callbacks="mlflow_callback,retry_callback")
    done = app.sweep("basic" if told else "submitit_local", "x=1,2")
    assert done.code == 0, done.stderr
    jobs = server.runs(app.directory.name, kind="job")
    assert [(run.status, run.metrics["return_value"]) for run in jobs] == [("FINISHED", 1), ("FINISHED", 2)]
    assert [run.tags["hydra.attempt"] for run in jobs] == ["2", "2"]
    assert [(run.params["x"], run.tags["hydra.param.x"]) for run in jobs] == [("mine 1", "1"), ("mine 2", "2")]
    assert not [run for run in jobs if "hydra.error" in run.tags]
    earlier = server.runs(app.directory.name, kind="attempt")
    assert [run.status for run in earlier] == ["FAILED"] * 2 * told
    assert len(server.runs(app.directory.name)) == 3 + len(earlier)


def test_the_curves_of_two_attempts_are_no_mix(launcher: str, app: App, server: MlflowServer) -> None:
    """The second attempt has a run of its own, which is the job's; the first lies below it, as it ended.

    What the first has reported before the step at which the second goes on counts, as everywhere.
    """
    body = """
    again = os.path.exists(f"{cfg.done}-{cfg.x}")
    open(f"{cfg.done}-{cfg.x}", "w").close()
    for step in range(3 if again and cfg.x else 0, 5 if again else 10):
        report_metrics(loss=step / 100 if again else 100 + step, step=step)
        report_metrics(plain=step)
    mlflow.log_metric("own", 1 if again else 5, step=0 if again else 9)
    time.sleep(0.1)
    if not again:
        raise ValueError("the first time")
    return cfg.x
    """
    write(app, server, body, callbacks="mlflow_callback,retry_callback")
    done = app.sweep(launcher, "x=0,1")
    assert done.code == 0, done.stderr
    jobs = server.runs(app.directory.name, kind="job")
    assert [(run.status, run.name, run.tags["hydra.attempt"]) for run in jobs] == [
        ("FINISHED", "0 x=0", "2"),
        ("FINISHED", "1 x=1", "2"),
    ]
    new = [(step, step / 100) for step in range(5)]
    assert server.course(jobs[0], "loss") == new
    assert server.course(jobs[1], "loss") == [(0, 100), (1, 101), (2, 102), *new[3:]]
    assert server.course(jobs[1], "plain") == [(0, 3), (1, 4)]
    assert [(run.metrics["loss"], run.metrics["own"]) for run in jobs] == [(0.04, 1)] * 2
    earlier = server.runs(app.directory.name, kind="attempt")
    assert [run.status for run in earlier] == ["FAILED"] * 2
    assert [run.tags["mlflow.parentRunId"] for run in earlier] == [run.run_id for run in jobs]
    assert [run.tags["hydra.superseded_by"] for run in earlier] == [run.run_id for run in jobs]
    assert [len(server.course(run, "loss")) for run in earlier] == [10] * 2
    assert len(server.runs(app.directory.name)) == 5
    assert sync(done.root, "--address", server.uri).endswith("2 jobs: 2 there already")


def test_sync_makes_no_mix_either(app: App, server: MlflowServer) -> None:
    """An attempt that ran without MLflow does not go into the run of the one before."""
    body = """
    again = os.path.exists(cfg.done)
    for step in range(3, 0, -1):
        report_metrics(loss=step if again else 10 * step, step=step if again else step + 5)
    if not again:
        raise ValueError("not yet")
    """
    write(app, server, body)
    done = app.sweep("basic", "x=1")
    assert sync(done.root, "--address", server.uri).endswith("1 job: 1 there already")
    (app.directory / "done").touch()
    command = [sys.executable, "-m", "hydra_callback_kit", "rerun", str(done.root), "--execute"]
    again = [*command, "--", "hydra.callbacks.mlflow_callback.tracking_uri=http://127.0.0.1:1"]
    rerun = subprocess.run(again, capture_output=True, text=True, check=False, timeout=120, cwd=app.directory)
    assert rerun.returncode == 0, rerun.stderr
    assert sync(done.root, "--address", server.uri).endswith("1 job: 1 updated")
    (job,) = server.runs(app.directory.name, kind="job")
    assert (job.status, server.course(job, "loss")) == ("FINISHED", [(1, 1), (2, 2), (3, 3)])
    assert [run.status for run in server.runs(app.directory.name, kind="attempt")] == ["FAILED"]
    assert sync(done.root, "--address", server.uri).endswith("1 job: 1 there already")


def test_any_step_and_any_name(app: App, server: MlflowServer) -> None:
    """One job's steps and names are no other job's trouble; a run that was deleted there on purpose stays so."""
    body = """
    report_metrics({"a$b": 1, "a_b": 2, "half": 3}, step=1.5)
    report_metrics(far=1, step=1e19 if cfg.x == 1 else -5)
    if cfg.x == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    """
    write(app, server, body)
    app.sweep("submitit_local", "x=1,2,3")
    jobs = server.runs(app.directory.name, kind="job")
    assert [run.status for run in jobs] == ["FINISHED", "KILLED", "FINISHED"]
    for run, far in zip(jobs, (2**63 - 1, -5, -5), strict=True):
        names = {name: value for name, value in run.metrics.items() if name.startswith("a_b")}
        assert sorted(names.values()) == [1, 2]
        assert names["a_b"] == 1
        assert server.course(run, "half") == [(2, 3)]
        assert server.course(run, "far") == [(far, 1)]
    root = app.directory / "out"
    assert sync(root, "--address", server.uri).endswith("3 jobs: 3 there already")
    server.delete(jobs[0])
    assert sync(root, "--address", server.uri).endswith("3 jobs: 2 there already, 1 deleted there, and left so")
    assert len(server.runs(app.directory.name, kind="job")) == 2


def test_a_job_that_cannot_be_sent(app: App, server: MlflowServer) -> None:
    """It is named, the ones behind it are sent, and the exit code says so."""
    write(app, server, "return cfg.x", callbacks="logging_callback")
    done = app.sweep("basic", "x=1,2,3")
    (done.root / "1" / ".hydra" / "hydra.yaml").write_text("{", "utf-8")  # nobody knows what is secret there
    said = sync(done.root, "--to", "mlflow", "--address", server.uri, "--project", app.directory.name, code=1)
    assert "3 jobs: 2 made, 1 not sent" in said
    assert "MLflow could not be told everything of job 1: ValueError" in said
    assert [run.status for run in server.runs(app.directory.name, kind="job")] == ["FINISHED"] * 3


def test_more_than_can_be_sent_in_time(app: App, server: MlflowServer) -> None:
    """A job waits no longer than said; the ones after it have their runs; and sync sends what is missing."""
    body = """
    assert mlflow.active_run() is not None
    for step in range(10_000 if cfg.x == 0 else 1):
        report_metrics(loss=step, step=step)
    """
    slow = """
    def log_batch(*arguments, log_batch=mlflow.MlflowClient.log_batch, **more):
        time.sleep(0.3)
        return log_batch(*arguments, **more)

    mlflow.MlflowClient.log_batch = log_batch
    """
    write(app, server, body, preamble=slow)
    done = app.sweep("basic", "x=range(4)", "hydra.callbacks.mlflow_callback.timeout_s=3")
    assert done.code == 0, done.stdout + done.stderr
    assert "not all was sent within 3 s" in warnings_of(done)[0]
    jobs = server.runs(app.directory.name, kind="job")
    assert [run.status for run in jobs] == ["FINISHED"] * 4
    assert [run.metrics["loss"] for run in jobs[1:]] == [0] * 3
    sync(done.root, "--address", server.uri)
    jobs = server.runs(app.directory.name, kind="job")
    assert [(run.tags["hydra.points"], run.metrics["loss"]) for run in jobs] == [("10000", 9_999), *[("1", 0)] * 3]
    assert sync(done.root, "--address", server.uri).endswith("4 jobs: 4 there already")


def test_a_job_that_is_run_again(app: App, server: MlflowServer) -> None:
    """By `rerun`, in another process: the failed attempts lie below the new runs, and the sweep's ends as it stands now."""
    write(app, server, 'if not os.path.exists(cfg.done):\n    raise ValueError("not yet")\nreturn cfg.x')
    done = app.sweep("basic", "x=1,2")
    assert done.code == 1
    before = server.runs(app.directory.name)
    assert [run.status for run in before] == ["FAILED"] * 3
    (app.directory / "done").touch()
    command = [sys.executable, "-m", "hydra_callback_kit", "rerun", str(done.root), "--execute"]
    again = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=app.directory)
    assert again.returncode == 0, again.stderr
    after = [run for kind in ("job", "sweep") for run in server.runs(app.directory.name, kind=kind)]
    assert [run.status for run in after] == ["FINISHED"] * 3
    assert [run.metrics.get("return_value") for run in after] == [1, 2, None]
    assert not [run for run in after if "hydra.error" in run.tags]
    earlier = server.runs(app.directory.name, kind="attempt")
    assert [run.tags["mlflow.parentRunId"] for run in earlier] == [run.run_id for run in after[:2]]
    assert {run.run_id for run in (*earlier, after[2])} == {run.run_id for run in before}


def test_jobs_that_outlive_the_sweep(app: App, server: MlflowServer) -> None:
    """The sweep's process is killed, and the job that ends last ends the sweep's run."""
    preamble = """
    from hydra.experimental.callback import Callback

    class NotesItself(Callback):
        def on_multirun_start(self, config, **kwargs):
            open("parent", "w").write(str(os.getpid()))
    """
    body = """
    if cfg.x == 0:
        os.kill(int(open("parent").read()), signal.SIGKILL)
    time.sleep(1)
    return cfg.x
    """
    write(app, server, body, preamble=preamble, more=", notes: {_target_: __main__.NotesItself}")
    app.sweep_and_be_killed("submitit_local", "x=0,1")
    app.wait_for_what_outlives()
    until_s = time.monotonic() + 60
    while "RUNNING" in [run.status for run in server.runs(app.directory.name)] and time.monotonic() < until_s:
        time.sleep(0.2)
    assert [run.status for run in server.runs(app.directory.name)] == ["FINISHED"] * 3


def test_the_ranks_of_a_job_are_one_run(app: App, server: MlflowServer) -> None:
    """Rank 0 is the job, and has it active; the others have none."""
    write(app, server, "return mlflow.active_run() is not None and 1", preamble="import mlflow")
    done = start_ranks(app, [torchrun_rank(0, 2), torchrun_rank(1, 2)])
    assert [each.code for each in done] == [0, 0], done
    (run,) = server.runs(app.directory.name)
    assert (run.status, run.metrics) == ("FINISHED", {"return_value": 1})


def test_what_a_job_reports_has_its_course(app: App, server: MlflowServer) -> None:
    """All points, live and by sync alike; a number that was returned under the same name is the latest, at the last step."""
    body = """
    for step in range(5):
        report_metrics({"val/loss": 1 / (step + 1), "other": step}, step=10 * step)
        report_metrics(plain=step)
    return {"val/loss": 7.0, "returned": 1.0}
    """
    write(app, server, body)
    done = app.sweep("basic", "x=1,2")
    assert done.code == 0, done.stderr
    course = [*((10 * step, pytest.approx(1 / (step + 1))) for step in range(5)), (40, 7.0)]
    for run in server.runs(app.directory.name, kind="job"):
        assert server.course(run, "val/loss") == course
        assert server.course(run, "plain") == [(step, step) for step in range(5)]
        assert run.metrics["returned"] == 1
        assert run.metrics["val/loss"] == 7
    assert sync(done.root, "--address", server.uri).endswith("2 jobs: 2 there already")
    again = f"{app.directory.name} again"
    assert sync(done.root, "--address", server.uri, "--project", again).endswith("2 jobs: 2 made")
    for run in server.runs(again, kind="job"):
        assert server.course(run, "val/loss") == course
        assert server.course(run, "plain") == [(step, step) for step in range(5)]
    assert sync(done.root, "--address", server.uri, "--project", again).endswith("2 jobs: 2 there already")


def test_nobody_answers(app: App, server: MlflowServer) -> None:
    """A server that is down costs no time: one warning, the exit code is the app's own, and what it says can be typed later.

    All that was wanted is on record by then: it goes where the config says, as it says, and nobody's token goes elsewhere.
    """
    mortal = server.another(app.directory)
    write(app, mortal, 'open(f"{cfg.x}.txt", "w").close()\nreturn cfg.x', timeouts="")
    settings = app.directory / "config.yaml"
    written = settings.read_text("utf-8")
    wanted = 'tags: {team: vision}, nested: false, log_artifacts: ["*.txt"]'
    settings.write_text(written.replace("tags: {team: vision}", wanted).replace("http://", "http://me:hunter@"), "utf-8")
    started_s = time.monotonic()
    done = app.sweep("basic", "x=1,2", "hydra.job.chdir=true")
    assert done.code == 0, done.stderr
    assert time.monotonic() - started_s < 60
    (warning,) = warnings_of(done)
    assert f"nobody answers at {mortal.uri}" in warning
    assert f"hydra-callback-kit sync {done.root} --to mlflow --address {mortal.uri}" in warning
    assert "hunter" not in done.stdout
    mortal.start()
    assert f"The record says {mortal.uri}" in sync(done.root, code=2)
    said = sync(*warning.split(" sync ")[1].split())
    assert said.endswith("2 jobs: 2 made")
    runs = mortal.runs(app.directory.name)
    assert [run.name for run in runs] == ["0 x=1", "1 x=2"]
    assert [(run.tags["team"], run.params["done"]) for run in runs] == [("vision", f"{app.directory}/done")] * 2
    assert [mortal.files(run) for run in runs] == [["1.txt"], ["2.txt"]]
    assert not [run for run in runs if "mlflow.parentRunId" in run.tags]
    assert [run.tags["mlflow.source.name"] for run in runs] == ["app.py"] * 2
    mortal.kill()


def test_a_tracker_that_hangs(app: App, launcher: str) -> None:
    """A socket that takes connections and says nothing: it is waited for once, and the jobs do not ask."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        write(app, MlflowServer(app.directory, port=listener.getsockname()[1]), "return cfg.x", timeouts="")
        done = app.sweep(launcher, "x=1,2", "hydra.callbacks.mlflow_callback.setup_timeout_s=1")
    assert done.code == 0, done.stderr
    (warning,) = warnings_of(done)
    assert "no answer within 1 s" in warning
    assert read_run(done.root).status == "COMPLETED"


def test_the_server_is_killed_in_the_middle(app: App, server: MlflowServer) -> None:
    """Jobs and exit code are untouched, it is said once, and what is missing is sent once the server is there again."""
    mortal = server.another(app.directory)
    mortal.start()
    body = """
    if cfg.x == 2:
        os.killpg(int(os.environ["SERVER"]), signal.SIGKILL)
        time.sleep(1)
    return cfg.x
    """
    write(app, mortal, body, timeouts="")
    assert mortal.process is not None
    done = app.sweep("basic", "x=1,2,3", SERVER=str(mortal.process.pid))
    assert done.code == 0, done.stderr
    assert len(warnings_of(done)) == 2, warnings_of(done)  # the console, and the log of the job
    mortal.process.wait(30)
    mortal.start()
    assert [run.status for run in mortal.runs(app.directory.name, kind="job")] == ["FINISHED", "RUNNING"]
    said = sync(done.root, "--address", mortal.uri)
    assert said.endswith("3 jobs: 1 made, 1 updated, 1 there already")
    assert [run.status for run in mortal.runs(app.directory.name)] == ["FINISHED"] * 4
    assert [run.metrics.get("return_value") for run in mortal.runs(app.directory.name, kind="job")] == [1, 2, 3]
    assert sync(done.root, "--address", mortal.uri).endswith("3 jobs: 3 there already")
    mortal.kill()


def test_a_server_that_stops_answering(app: App, server: MlflowServer) -> None:
    """The job at whose end it happens waits once; the ones after it do not ask, and the process ends at once."""
    mortal = server.another(app.directory)
    mortal.start()
    assert mortal.process is not None
    body = """
    if cfg.x == 1:
        os.killpg(int(os.environ["SERVER"]), signal.SIGSTOP)
    print("at", time.monotonic())
    return cfg.x
    """
    write(app, mortal, body, timeouts="")
    try:
        settings = ["hydra.callbacks.mlflow_callback.timeout_s=5"]
        done = app.sweep("basic", "x=0,1,2,3", *settings, SERVER=str(mortal.process.pid))
        ended_s = time.monotonic()
    finally:
        mortal.kill()
    assert done.code == 0, done.stderr
    assert len(warnings_of(done)) == 2, warnings_of(done)  # as above
    assert "no answer within 5 s" in warnings_of(done)[0]
    begins = [float(at) for at in re.findall(r"at ([0-9.]+)", done.stdout)]
    assert len(begins) == 4
    assert ended_s - begins[1] < 30
    sent = [job.facts["mlflow"]["sent"] if "mlflow" in job.facts else None for job in read_run(done.root).jobs]
    assert sent == [True, False, None, None]


def test_where_it_goes_has_to_be_said(app: App, server: MlflowServer) -> None:
    """A record alone does not make this user's token go anywhere."""
    write(app, server, "return cfg.x")
    done = app.run()
    assert done.code == 0
    refused = sync(done.root, code=2)
    assert f"hydra-callback-kit sync {done.root} --to mlflow --address {server.uri}" in refused
