"""Sweeps in W&B, kept offline: as many runs as jobs in one group, whatever happens to jobs and server."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from apps import App
from ranks import start_ranks, torchrun_rank
from tracker_app import damage_the_points, sync, warnings_of
from wandb_app import BODY, no_settings_of_the_user, write
from wandb_files import KeptRun, kept_runs

from hydra_callback_kit.journal.reader import read_run

__all__ = ["no_settings_of_the_user"]  # a fixture

pytestmark = pytest.mark.wandb


def by_job(runs: list[KeptRun]) -> dict[int, KeptRun]:
    """The runs of a sweep by the numbers of their jobs."""
    return {run.config["hydra"]["job_num"]: run for run in runs}


def test_twelve_jobs(launcher: str, app: App) -> None:
    """One of them fails, one is killed; each has a run in one group, and the app's own calls are where they belong."""
    write(app)
    done = app.sweep(launcher, "x=range(12)", "killed=11", timeout_s=300)
    runs = kept_runs(done.root)
    jobs = {int(num): run for num, run in by_job(runs).items()}
    assert len(runs) == 12, done.stdout
    assert sorted(jobs) == list(range(12))
    (group,) = {run.group for run in runs}
    assert read_run(done.root).run_id in group
    expected = {3: 1, 11: None}
    assert {num: run.exit_code for num, run in jobs.items()} == {num: expected.get(num, 0) for num in range(12)}
    for num, run in jobs.items():
        assert (run.project, run.job_type, run.tags) == ("study", "train", ["vision"])
        assert run.name == f"{num} x={num} killed=11"
        assert run.config["x"] == num
        assert run.config["hydra"]["overrides"] == f"x={num} killed=11"
        assert [row["own"] for row in run.rows if "own" in row] == [num]
        assert run.curve("val/loss") == [(0, num), (10, num - 1), (20, num - 2)]
        assert run.steps_of["val/loss"] == "step"
        if num not in expected:
            assert run.summary["final"] == num / 2
    assert jobs[3].summary["hydra/error"] == "ValueError: boom"
    everything = b"".join(file.read_bytes() for file in (done.root / "wandb").rglob("*") if file.is_file())
    assert b"hunter-two" not in everything
    assert sync(done.root).endswith("12 jobs: 1 updated, 11 there already")
    assert sync(done.root).endswith("12 jobs: 12 there already")


def test_a_sweep_that_ran_without(app: App) -> None:
    """All is sent from its record, and once."""
    write(app, BODY.replace('wandb.log({"own": cfg.x})', ""), callbacks="performance_callback")
    done = app.sweep("basic", "x=2,3")
    assert not kept_runs(done.root)
    assert sync(done.root, "--to", "wandb", "--project", "mine").endswith("2 jobs: 2 made")
    assert sync(done.root, "--to", "wandb", "--project", "mine").endswith("2 jobs: 2 there already")
    fine, failed = kept_runs(done.root)
    assert [(run.exit_code, run.project) for run in (fine, failed)] == [(0, "mine"), (1, "mine")]
    assert fine.curve("val/loss") == [(0, 2), (10, 1), (20, 0)]
    assert fine.summary["final"] == 1
    assert failed.summary["hydra/error"] == "ValueError: boom"


def test_names_that_wandb_does_not_take(app: App) -> None:
    """They are sent under others, and cost no other metric its place; the config likewise."""
    body = """
    report_metrics({"": 1, "val": 2, "a*": 3, "_timestamp": 4, chr(0xD800): 5, "step": 6}, step=1)
    report_metrics({"val": 3}, step=2)
    return {"": 7, "returned": 8}
    """
    write(app, body)
    done = app.run("+data=wandb-artifact://me/data:v0", "+nested.data=wandb-artifact://me/data:v0")
    assert done.code == 0, done.stderr
    assert "ERROR" not in done.stdout
    assert not warnings_of(done)
    (run,) = kept_runs(done.root)
    expected = {"_": 1, "val": 2, "a*": 3, "_timestamp_": 4, "\\ud800": 5, "step_": 6, "step": 1}
    assert {name: value for name, value in run.rows[0].items() if name in expected} == expected
    assert run.curve("val") == [(1, 2), (2, 3)]
    assert "a*" not in run.steps_of
    assert (run.summary["_"], run.summary["returned"]) == (7, 8)
    assert run.config["data"] == run.config["nested"]["data"] == " wandb-artifact://me/data:v0"
    assert sync(done.root).endswith("1 job: 1 there already")
    assert sync(done.root, "--project", "other").endswith("1 job: 1 made")
    again = kept_runs(done.root)[1]
    assert (again.summary["_"], again.curve("val"), again.rows[0]["a*"]) == (7, [(1, 2), (2, 3)], 3)


def test_what_wandb_does_not_take_is_not_said_to_be_there(app: App) -> None:
    """Nothing is shown of it on the console but one warning, and `sync` sends it."""
    preamble = """
    from wandb.sdk.wandb_run import Run

    def refuse(run, data, *more, log=Run.log, **options):
        if data.get("val") == 1:
            raise ValueError("no")
        return log(run, data, *more, **options)

    if "-m" not in sys.argv:
        Run.log = refuse
    """
    write(app, "for val in range(3):\n    report_metrics(val=val, step=val)", preamble=preamble)
    done = app.run()
    assert done.code == 0, done.stderr
    (warning,) = warnings_of(done)
    assert "the end of job 0: ValueError: no" in warning
    assert "Traceback" not in done.stdout
    assert [row["val"] for row in kept_runs(done.root)[0].rows] == [0]
    assert sync(done.root).endswith("1 job: 1 updated")
    assert kept_runs(done.root)[1].curve("val") == [(0, 0), (1, 1), (2, 2)]


def test_a_run_that_starts_late(app: App) -> None:
    """Where a machine has much to do W&B starts later than is waited for: a job that has failed has failed there, too."""
    preamble = """
    import wandb
    def slowly(*more, init=wandb.init, **options):
        run = init(*more, **options)
        time.sleep(12)
        return run

    wandb.init = slowly
    """
    write(app, "report_metrics(loss=1, step=1)\nraise ValueError('boom')", preamble=preamble)
    done = app.run("hydra.callbacks.wandb_callback.timeout_s=10")
    assert done.code == 1
    (run,) = [each for each in kept_runs(done.root) if each.rows]
    assert (run.exit_code, run.summary.get("hydra/error"), run.curve("loss")) == (1, "ValueError: boom", [(1, 1)])


def test_a_parameter_that_wandb_would_refuse(app: App) -> None:
    """It is said before any job."""
    write(app)
    done = app.sweep("basic", "x=1,2", "hydra.callbacks.wandb_callback.project=a/b")
    assert done.code == 1
    assert "Write project=a-b." in done.stderr
    assert not list(app.directory.rglob("app.log"))


def test_a_job_name_that_is_no_project(app: App) -> None:
    """The project is called almost like it. W&B's old word for a mode is one of its modes."""
    write(app, "return 1")
    done = app.run("hydra.job.name=a:b", "hydra.callbacks.wandb_callback.project=null", WANDB_MODE="dryrun")
    assert done.code == 0, done.stderr
    assert [run.project for run in kept_runs(done.root)] == ["a-b"]
    assert read_run(done.root).jobs[0].facts["wandb"]["mode"] == "offline"


def test_a_job_that_cannot_be_sent(app: App) -> None:
    """It is named, the others are sent, and tries leave nothing behind."""
    write(app, "report_metrics(loss=cfg.x, step=1)\nreturn cfg.x", callbacks="performance_callback")
    done = app.sweep("basic", "x=0,1,2")
    damage_the_points(done.root, 1)
    for counts in ("3 jobs: 2 made, 1 not sent", "3 jobs: 2 there already, 1 not sent"):
        said = sync(done.root, "--to", "wandb", code=1)
        assert counts in said
        assert "W&B could not be told everything of job 1: ValueError: Invalid isoformat string: 'not " in said
        assert [run.summary["return_value"] for run in kept_runs(done.root)] == [0, 2]
        links = [file for file in (done.root / "wandb").iterdir() if file.is_symlink()]
        assert all(link.exists() for link in links)


def test_another_attempt_has_the_same_id(app: App) -> None:
    """W&B knows by it which run goes on."""
    body = """
    if not os.path.exists(f"{cfg.done}-{cfg.x}"):
        open(f"{cfg.done}-{cfg.x}", "w").close()
        raise ValueError("the first time")
    return cfg.x
    """
    write(app, body, callbacks="wandb_callback,retry_callback")
    done = app.sweep("basic", "x=1,2")
    assert done.code == 0, done.stderr
    runs = kept_runs(done.root)
    assert len(runs) == 4
    assert len({run.run_id for run in runs}) == 2
    last = {run.run_id: run for run in runs}.values()
    assert [(run.exit_code, run.summary["return_value"]) for run in last] == [(0, 1), (0, 2)]


def test_the_ranks_of_a_job_are_one_run(app: App) -> None:
    """Rank 0 is the job, and reports; the others have no run."""
    write(app, "report_metrics(loss=int(os.environ['RANK']), step=1)\nreturn wandb.run is not None and 1")
    done = start_ranks(app, [torchrun_rank(0, 2), torchrun_rank(1, 2)])
    assert [each.code for each in done] == [0, 0], done
    (run,) = kept_runs(done[0].root)
    assert (run.exit_code, run.summary["return_value"], run.curve("loss")) == (0, 1, [(1, 0)])
    assert sync(done[0].root).endswith("1 job: 1 there already")


def test_a_run_that_was_open_and_one_that_the_app_ends(app: App) -> None:
    """The one from before is no longer W&B's run; one that the app has ended is said to lack what came of the job."""
    write(app, "wandb.finish()\nreport_metrics(loss=1)\nreturn 1", callbacks="wandb_callback")
    text = (app.directory / "app.py").read_text("utf-8")
    stray = 'stray = wandb.init(project="other", id="stray", settings=wandb.Settings(silent=True))'
    (app.directory / "app.py").write_text(text.replace("    main()", f"    {stray}\n    main()"), "utf-8")
    done = app.run()
    assert done.code == 0, done.stderr
    (warning,) = warnings_of(done)
    assert "delete its wandb.finish()" in warning
    (own,) = kept_runs(done.root)
    assert own.group == ""
    assert own.rows == []


def test_nobody_answers(app: App) -> None:
    """A server that is down: it is said once, the runs are kept offline, and the exit code is the app's own."""
    write(app, timeout_s=10)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    started_s = time.monotonic()
    server = {"WANDB_MODE": "online", "WANDB_BASE_URL": f"http://127.0.0.1:{port}", "WANDB_API_KEY": "0123456789" * 4}
    done = app.sweep("basic", "x=1,2", **server)
    assert done.code == 0, done.stderr
    assert time.monotonic() - started_s < 60
    (warning,) = warnings_of(done)
    assert f"nobody answers at http://127.0.0.1:{port}" in warning
    assert f"hydra-callback-kit sync {done.root} --to wandb" in warning
    assert [(run.exit_code, run.rows[0]["own"]) for run in kept_runs(done.root)] == [(0, 1), (0, 2)]
    facts = [job.facts["wandb"] for job in read_run(done.root).jobs]
    assert [(fact["mode"], fact["sent"]) for fact in facts] == [("offline", False)] * 2


def test_no_key(app: App) -> None:
    """Nobody is asked for one."""
    write(app, timeout_s=10)
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = app.run("x=1", WANDB_MODE="online", WANDB_BASE_URL=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert done.code == 0, done.stderr
    (warning,) = warnings_of(done)
    assert "there is no API key. Type: wandb login" in warning
    assert [run.exit_code for run in kept_runs(done.root)] == [0]


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_server_that_hangs(app: App, launcher: str) -> None:
    """A socket that takes connections and says nothing: a process waits for it once."""
    write(app)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = {"WANDB_MODE": "online", "WANDB_BASE_URL": f"http://127.0.0.1:{port}", "WANDB_API_KEY": "0123456789" * 4}
        started_s = time.monotonic()
        done = app.sweep(launcher, "x=1,2", "hydra.callbacks.wandb_callback.timeout_s=8", **server)
        took_s = time.monotonic() - started_s
    assert done.code == 0, done.stderr
    assert took_s < 60
    logs = [(done.root / str(num) / "app.log").read_text("utf-8") for num in (0, 1)]
    assert "no answer within 4 s" in logs[0]
    assert ("no answer" in logs[1]) == (launcher != "basic")
    assert [run.exit_code for run in kept_runs(done.root)] == [0, 0]


def test_disabled(app: App) -> None:
    """As W&B means it: nothing is kept, and the app's calls do nothing."""
    write(app)
    done = app.run("x=1", "hydra.callbacks.wandb_callback.mode=disabled")
    assert done.code == 0, done.stderr
    assert not (done.root / "wandb").exists()
    assert "wandb" not in read_run(done.root).jobs[0].facts
    assert "it is disabled here, and takes nothing. Set WANDB_MODE=online" in sync(done.root, code=1, WANDB_MODE="disabled")
    assert not (done.root / "wandb").exists()
