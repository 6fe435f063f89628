"""Nothing of ours changes what happens: the app's resolvers, directories, logs and streams are as they are without us."""

import json
import re

import pytest
from apps import ON_LAUNCHER, TRACKERS, App, Finished

from hydra_plugins.hydra_callback_kit.config import OPTIONS

ACTS = ("detach_callback", "dry_run_callback", "retry_callback")  # nothing runs, or runs again
CHOSEN = [option for option in OPTIONS if option not in (*ACTS, *TRACKERS, "progress_callback")]
ALL = f"""
defaults:
  - callbacks: [{", ".join(CHOSEN)}]
  - _self_
x: 0
seed: ${{draw:}}
twice: ${{seed}}
counted: ${{count:a}}
inside: u:${{count:b}}@h
listed: ["${{draw:}}", "${{x}}"]
secret: {{password: "${{count:pw}}"}}
unread: ${{fails:}}
hydra:
  callbacks:
    conditional_callback: {{condition_key: x, operator: ge, condition_value: 0}}
    device_callback: {{devices: [a, b], variable: MY_DEVICE}}
    failure_limit_callback: {{max_failures: 9}}
    keep_best_callback: {{metric: acc}}
    results_aggregator_callback: {{output_file: [results.json, results.csv]}}
    logging_callback: {{log_config: true}}
    time_limit_callback: {{job_s: 100}}
    upload_callback: {{to: 'memory://copies'}}
    validation_callback: {{required_keys: [x]}}
"""
RESOLVERS = """
import json, random
from omegaconf import OmegaConf

calls = []

def called(name, value):
    calls.append(name)
    return value

OmegaConf.register_new_resolver("draw", lambda: called("draw", random.randrange(10**9)), use_cache=True)
OmegaConf.register_new_resolver("count", lambda name: called(name, len(calls)))
OmegaConf.register_new_resolver("fails", lambda: sys.exit("a resolver that the job never asks"))
random.seed(7)
"""
BODY = """
seen = [cfg.seed, cfg.twice, cfg.counted, cfg.inside, list(cfg.listed), random.random()]
print("JOB", json.dumps([cfg.x, seen, calls]))
calls.clear()
return {"seed": cfg.seed}
"""


def jobs_of(printed: str) -> list[object]:
    """What the jobs saw, and which resolvers had been called by then."""
    return sorted(json.loads(line.partition("JOB ")[2]) for line in printed.splitlines() if line.startswith("JOB "))


@pytest.mark.parametrize("arguments", [["x=1"], ["-m", "x=1,2,3"]], ids=["run", "sweep"])
def test_the_apps_resolvers_are_called_as_without_us(app: App, arguments: list[str]) -> None:
    """With every callback on: the same calls, the same random numbers, and a value of its own for each job."""
    app.write(BODY, ALL, RESOLVERS)
    bare = app.run(*arguments, "callbacks=[]", "hydra.callbacks={}", "hydra.sweep.dir=bare", "hydra.run.dir=bare")
    done = app.run(*arguments)
    assert done.code == bare.code == 0, done.stderr
    assert jobs_of(done.stdout) == jobs_of(bare.stdout)


def test_each_job_has_a_seed_of_its_own_under_joblib(app: App) -> None:
    """What is resolved in the sweep's config would be frozen for all jobs."""
    app.write(BODY, ALL, RESOLVERS.replace("random.randrange", "random.SystemRandom().randrange"))
    done = app.sweep("joblib", "x=1,2,3")
    assert done.code == 0, done.stderr
    rows = done.json("results.json")
    assert len({row["return_value"]["seed"] for row in rows}) == 3
    for row in rows:
        assert row["config"]["seed"] == row["config"]["twice"] == row["return_value"]["seed"]


def test_what_is_recorded_is_what_the_job_saw(app: App) -> None:
    """Answers that a resolver keeps are known at the end; others are left as they are written, and named."""
    app.write(BODY, ALL, RESOLVERS)
    (row,) = app.run("x=1").json("results.json")
    seen = row["return_value"]["seed"]
    assert row["config"]["seed"] == row["config"]["twice"] == row["config"]["listed"][0] == seen
    assert row["config"]["counted"] == "${count:a}"
    assert row["config"]["inside"] == "u:${count:b}@h"
    assert set(row["config_as_written"]) == {"counted", "inside", "secret.password", "unread"}
    log = app.run("x=1").log()
    assert "# as written, for only the app itself can tell: seed, twice, counted" in log
    resolved = (app.directory / "out" / "config_resolved.yaml").read_text()
    assert resolved.startswith("# as written")
    assert "seed: ${draw:}" in resolved


def test_a_run_directory_of_a_resolver_is_asked_for_once(app: App) -> None:
    """One that hands out a new name each time: the record lies where the job's output lies, and one name is used up."""
    preamble = """
    from omegaconf import OmegaConf
    names = iter("abcdefgh")
    OmegaConf.register_new_resolver("name", lambda: next(names))
    """
    config = "defaults:\n  - callbacks: [standard_callbacks, output_guard_callback]\n  - _self_\nx: 0\n"
    app.write("print('NEXT', next(names))", config, preamble)
    done = app.run("hydra.run.dir='runs/${name:}'")
    assert done.code == 0, done.stderr
    assert "NEXT b" in done.stdout
    assert {path.name for path in (app.directory / "runs").iterdir()} <= {"a", "latest"}
    assert (app.directory / "runs" / "a" / "results.json").exists()


HYDRA_DIR = """
defaults:
  - callbacks: [standard_callbacks, report_callback, output_guard_callback]
  - _self_
x: 0
hydra:
  run: {dir: "${hydra:runtime.cwd}/out/run"}
"""


def test_a_run_directory_with_hydras_resolver(app: App) -> None:
    """As with a plain path: all files, a command to run it again, and the guard refuses the second run."""
    app.write("return {'acc': cfg.x}", HYDRA_DIR)
    done = app.run("x=1", "hydra.run.dir='${hydra:runtime.cwd}/out/run'")
    assert (done.code, "report this as a bug" in done.stdout + done.stderr) == (0, False)
    names = {path.name for path in (app.directory / "out" / "run").iterdir()}
    assert {"results.json", "report.html", "performance.json", "provenance.json", "app.log"} <= names
    assert (app.directory / "out" / "latest").exists()
    again = app.run("x=1", "hydra.run.dir='${hydra:runtime.cwd}/out/run'")
    assert (again.code, "already holds a run" in again.stderr) == (1, True)


def test_require_clean_cannot_be_got_around_by_a_directory(app: App) -> None:
    """It fails closed: the directory has nothing to do with the work tree."""
    app.write("print('RAN')", "defaults:\n  - callbacks: [provenance_callback]\n  - _self_\nx: 0\n")
    for directory in ("${hydra:runtime.cwd}/out", "${nowhere}", "${oc.env:NOT_SET_ANYWHERE}/out"):
        done = app.run("hydra.callbacks.provenance_callback.require_clean=true", f"hydra.run.dir='{directory}'")
        assert (done.code, "RAN" in done.stdout) == (1, False)
        assert "require_clean is true" in done.stderr


@pytest.mark.parametrize("mode", ["run", "sweep"])
def test_an_error_in_the_directory_is_told_once_by_hydra(app: App, mode: str) -> None:
    """A variable that is not set, a value that is missing: it is the user's, and no bug of ours."""
    config = "defaults:\n  - callbacks: [standard_callbacks, report_callback]\n  - _self_\nx: 0\nname: ???\n"
    app.write("return 1", config)
    arguments = (
        ["hydra.run.dir='${oc.env:NOT_SET_ANYWHERE}/run'"]
        if mode == "run"
        else ["-m", "x=1,2", "hydra.sweep.dir='out/${name}'"]
    )
    done, bare = app.run(*arguments), app.run(*arguments, "callbacks=[]")
    assert done.code == bare.code == 1
    said = done.stdout + done.stderr
    assert "bug" not in said
    assert len(said.splitlines()) <= len((bare.stdout + bare.stderr).splitlines()) + 2
    guarded = app.run(*arguments, "callbacks=[output_guard_callback]")
    assert guarded.code == 1
    assert "OutputGuardCallback cannot find out whether it may. hydra." in guarded.stderr


RAISING = """
import logging

class Raising(logging.Handler):
    def emit(self, record):
        if record.name.startswith("hydra_callback_kit") and not record.name.endswith("quiet"):
            raise ValueError(f"markup error in {record.getMessage()[:20]}")
"""
WITH_RAISING = """
defaults:
  - callbacks: [standard_callbacks, report_callback]
  - override hydra/job_logging: none
  - _self_
x: 0
hydra:
  hydra_logging: {version: 1, root: {handlers: [broken]}, handlers: {broken: {class: __main__.Raising}}}
"""


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_log_handler_that_raises_costs_no_file(app: App, launcher: str) -> None:
    """Every file is written, also after a failed job, the exit code is the app's, and what cannot be logged is on stderr."""
    body = "logging.getLogger().addHandler(Raising())\nif cfg.x == 2:\n    raise ValueError('boom')\nreturn {'acc': cfg.x}"
    app.write(body, WITH_RAISING, RAISING)
    done = app.sweep(launcher, "x=1,2,3")
    assert done.code == 1
    names = {path.name for path in done.root.iterdir()}
    assert {"results.json", "report.html", "performance.json", "provenance.json"} <= names
    assert [row["status"] for row in done.json("results.json")] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert "Exception ignored" not in done.stderr
    assert "Sweep ended after" in done.stderr


def bare_run(app: App, *arguments: str, **environment: str) -> Finished:
    """The same without us: what is left of our nodes would make Hydra warn."""
    config = app.directory / "config.yaml"
    ours = config.read_text()
    config.write_text("x: 0\n")
    done = app.run(*arguments, "hydra.run.dir=bare", "hydra.sweep.dir=bare", **environment)
    config.write_text(ours)
    return done


STREAMS = {
    "stdout closed": "sys.stdout.close()",
    "stderr closed": "sys.stderr.close()",
    "1 closed": "os.close(1)",
    "2 closed": "os.close(2)",
    "1 is a file": "becomes_a_file(1, cfg.x)",
    "2 is a file": "becomes_a_file(2, cfg.x)",
    "none": "sys.stdout = sys.stderr = None",
    "an object that raises": "sys.stdout = sys.stderr = Stream(ValueError('no stream'))",
    "an object that exits": "sys.stdout = sys.stderr = Stream(SystemExit(77))",
    "a handler that exits": "logging.getLogger().addHandler(Exiting())",
    "no logging": "logging.getLogger = None",
}
IN_THE_WAY = """
import logging

def becomes_a_file(number, x):
    # As by closing it and opening the file, but no thread's file gets the number in between.
    with open(f"{x}.mine", "wb", 0) as file:
        file.write(b"mine")
        os.dup2(file.fileno(), number, inheritable=False)

class Stream:
    def __init__(self, error):
        self.error = error

    def write(self, text):
        raise self.error

    flush = isatty = fileno = lambda self: self.write("")

class Exiting(logging.Handler):
    def emit(self, record):
        if record.name.startswith("hydra_callback_kit"):
            sys.exit(77)
"""
WITH_PROGRESS = ALL.partition("seed:")[0].replace("[", "[progress_callback, ", 1) + "hydra:\n" + ALL.partition("hydra:\n")[2]


def own_files(app: App) -> dict[str, str]:
    """The files of the app's own, without the times of what Hydra logs into them where they got the number of a stream."""
    return {file.name: re.sub("[0-9]", "", file.read_text()) for file in app.directory.glob("*.mine")}


@pytest.mark.parametrize("arguments", [["x=1"], ["-m", "x=1,2"]], ids=["run", "sweep"])
@pytest.mark.parametrize("does", STREAMS)
def test_streams_that_the_task_does_away_with(app: App, does: str, arguments: list[str]) -> None:
    """With every callback on: the exit code and the app's files are as without us, and ours are there."""
    app.write(
        f"if cfg.x == 1:\n    {STREAMS[does].replace(chr(10), chr(10) + '    ')}\nreturn {{'acc': cfg.x}}",
        WITH_PROGRESS,
        IN_THE_WAY,
    )
    bare = bare_run(app, *arguments)
    mine = own_files(app)
    done = app.run(*arguments)
    assert done.code == bare.code, done.stderr
    assert own_files(app) == mine
    assert not re.search("hydra_callback_kit/(?!launching/)", done.stdout + done.stderr)  # no traceback of ours
    names = {path.name for path in done.root.iterdir()}
    assert {"results.json", "results.csv", "report.html", "performance.json", "provenance.json"} <= names
    assert {row["status"] for row in done.json("results.json")} == {"COMPLETED"}


def test_streams_that_the_task_closes_in_a_worker(app: App) -> None:
    """The same under joblib."""
    app.write("sys.stdout.close()\nos.close(2)\nreturn {'acc': cfg.x}", WITH_PROGRESS, IN_THE_WAY)
    done = app.sweep("joblib", "x=1,2")
    assert done.code == 0, done.stderr
    assert [row["status"] for row in done.json("results.json")] == ["COMPLETED"] * 2


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_warnings_that_are_errors(app: App, launcher: str) -> None:
    """`python -W error`, in every process, with every callback on: a job that forks, one that fails and one that returns."""
    body = """
    if cfg.x == 1 and os.fork() == 0:
        os._exit(0)
    if cfg.x == 2:
        raise ValueError("boom")
    return {"acc": cfg.x}
    """
    app.write(body, WITH_PROGRESS)
    arguments = [
        "x=1,2,3",
        "hydra.callbacks.results_aggregator_callback.output_file=[results.json,results.csv,results.parquet]",
    ]
    done = app.sweep(launcher, *arguments, PYTHONWARNINGS="error")
    bare = bare_run(app, "-m", "x=1,2,3", *ON_LAUNCHER[launcher], PYTHONWARNINGS="error")
    assert done.code == bare.code, done.stderr
    assert not re.search("not affected|[a-z]Warning", done.stdout + done.stderr)
    names = {path.name for path in done.root.iterdir()}
    assert {"results.json", "results.parquet", "report.html", "performance.json", "provenance.json"} <= names
    assert [row["status"] for row in done.json("results.json")] == ["COMPLETED", "FAILED", "COMPLETED"]


STATES = """
import hashlib, json, random
import numpy

def state():
    return hashlib.sha256(repr((random.getstate(), numpy.random.get_state())).encode()).hexdigest()[:9]

random.seed(7)
numpy.random.seed(7)
"""


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_nothing_is_drawn_from_the_apps_random_state(app: App, launcher: str) -> None:
    """Of the module `random` and of numpy, in each job of each process, from one job to the next, and at the end."""
    body = """
    if not hasattr(sys, "job"):
        sys.job = 0
        random.seed(1)
        numpy.random.seed(1)
    else:
        assert state() == sys.left
    sys.job += 1
    print("JOB", json.dumps([sys.job, random.random(), numpy.random.random(), state()]), flush=True)
    sys.left = state()
    if cfg.x == 2:
        raise ValueError("boom")
    return {"acc": cfg.x}
    """
    app.write(body, WITH_PROGRESS, STATES)
    done = app.sweep(launcher, "x=1,2,3,4")
    bare = bare_run(app, "-m", "x=1,2,3,4", *ON_LAUNCHER[launcher])
    assert done.code == bare.code == 1
    assert [row["status"] for row in done.json("results.json")] == ["COMPLETED", "FAILED", "COMPLETED", "COMPLETED"]
    if launcher == "basic":
        assert jobs_of(done.stdout) == jobs_of(bare.stdout) != []


def test_nothing_is_said_of_a_directory_that_is_gone(app: App) -> None:
    """The job removes its own output directory: no complaint, and nothing is made again."""
    app.write(
        "import shutil\nshutil.rmtree('out')\nreturn 1", "defaults:\n  - callbacks: [standard_callbacks]\n  - _self_\nx: 0\n"
    )
    done = app.run("hydra/job_logging=stdout")
    assert done.code == 0
    assert not re.search("cannot be written|could not do its work|missing from", done.stdout + done.stderr)
    assert not done.root.exists() or not (done.root / "results.json").exists()
