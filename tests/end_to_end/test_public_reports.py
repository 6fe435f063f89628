"""What public bug reports of Hydra and its neighbours came down to, as small apps: what is on record is what happened."""

import csv
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from apps import VERSION_BASE, App
from terminal import cli

from hydra_callback_kit import load_run

TABLES = """
defaults:
  - callbacks: [logging_callback, results_aggregator_callback]
  - _self_
x: 0
ids: []
hydra:
  callbacks:
    results_aggregator_callback: {output_file: [results.csv, results.json]}
"""


def columns_of(file: Path) -> list[str]:
    """The head of a table."""
    csv.field_size_limit(10**9)
    with file.open(newline="") as table:
        return next(csv.reader(table))


def rerun_in(app: App, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`hydra-callback-kit rerun out --execute`."""
    said = cli("rerun", "out", *arguments, cwd=app.directory)
    return subprocess.CompletedProcess([], said.code, said.out, said.err)


def test_hydras_options_are_no_overrides(app: App) -> None:
    """A config whose name speaks of a token is found again by rerun."""
    app.write("if cfg.x == 2 and not os.path.exists('fine'):\n    raise ValueError('boom')\nreturn cfg.x", TABLES)
    (app.directory / "config.yaml").rename(app.directory / "token_classification.yaml")
    done = app.run("--config-name=token_classification", "-m", "x=1,2")
    assert "--config-name=token_classification" in cli("show", done.root).out
    (app.directory / "fine").touch()
    assert rerun_in(app, "--execute").returncode == 0
    assert load_run(done.root).count("COMPLETED") == 2


def test_overrides_of_any_length_are_whole(app: App) -> None:
    """Nothing is cut of what identifies a job: the column is the key, and the job can be run again."""
    body = "if cfg.x == 2 and not os.path.exists('fine'):\n    raise ValueError('boom')\nreturn len(cfg.ids)"
    app.write(body, TABLES)
    ids = ",".join(map(str, range(10_000, 12_501)))
    done = app.run("-m", "x=1,2", f"ids=[{ids}]")
    assert "ids" in columns_of(done.root / "results.csv")
    assert "repr" not in cli("failed", done.root).out
    (app.directory / "fine").touch()
    assert rerun_in(app, "--execute").returncode == 0
    assert [job.return_value for job in load_run(done.root).jobs] == [2501, 2501]


ARGPARSE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--data", default="none")
given, rest = parser.parse_known_args()
sys.argv = [sys.argv[0], *rest]
"""


def test_arguments_of_the_apps_own_come_along(app: App) -> None:
    """Argparse beside Hydra, and an edited `sys.argv`: rerun types them again, and nothing of Hydra's twice."""
    app.write("if not os.path.exists('fine'):\n    raise ValueError('boom')\nreturn given.data", TABLES, ARGPARSE)
    done = app.run("--data", "set one", "-m", "x=1,2")
    lines = cli("rerun", done.root, cwd=app.directory).out.splitlines()
    assert [shlex.split(line)[1:4] for line in lines] == [["app.py", "--data", "set one"]] * 2
    (app.directory / "fine").touch()
    assert rerun_in(app, "--execute").returncode == 0
    assert [job.return_value for job in load_run(done.root).jobs] == ["set one"] * 2


def test_a_module_is_started_again_as_a_module(app: App) -> None:
    """`python -m pkg.train`."""
    app.write("if not os.path.exists('fine'):\n    raise ValueError('boom')\nreturn 1", TABLES)
    package = app.directory / "pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    (app.directory / "app.py").rename(package / "train.py")
    (app.directory / "config.yaml").rename(package / "config.yaml")
    command = [sys.executable, "-m", "pkg.train", "-m", "x=1,2", "hydra.sweep.dir=out"]
    subprocess.run(command, cwd=app.directory, env=app.environment(), capture_output=True, check=False)
    (app.directory / "fine").touch()
    assert rerun_in(app, "--execute").returncode == 0
    assert load_run(app.directory / "out").count("COMPLETED") == 2


FROM_PYTHON = f"""
from hydra import initialize
from hydra.core.global_hydra import GlobalHydra

def task(cfg):
    if cfg.x == 2:
        raise ValueError("boom")
    return cfg.x

with initialize(config_path=None, **{VERSION_BASE!r}):
    hydra = GlobalHydra.instance().hydra
    try:
        hydra.multirun(None, task, ["+x=1,2,3", "hydra.sweep.dir=here",
            "hydra/callbacks=[results_aggregator_callback,latest_run_callback,output_guard_callback]"])
    except ValueError:
        pass
"""
BY_ZEN = """
from hydra_zen import launch, make_config, zen

def task(x: int):
    if x == 2:
        raise ValueError("boom")
    return x

launch(make_config(x=0), zen(task), multirun=True, version_base="1.3", overrides={"x": "1,2,3", "hydra.sweep.dir": "here",
    "+callbacks": "[results_aggregator_callback,latest_run_callback,output_guard_callback]"})
"""


@pytest.mark.parametrize("script", [FROM_PYTHON, BY_ZEN], ids=["python", "hydra-zen"])
def test_a_sweep_that_python_starts_is_a_sweep(app: App, script: str) -> None:
    """Hydra sets no mode: it lies in `hydra.sweep.dir` all the same, the guard looks there, and no command repeats it."""
    (app.directory / "script.py").write_text(script)

    def start() -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "script.py"]
        return subprocess.run(
            command, cwd=app.directory, env=app.environment(), capture_output=True, text=True, check=False, timeout=120
        )

    start()
    run = load_run(app.directory / "here")
    assert (run.mode, run.planned_jobs, [job.status for job in run.jobs]) == (
        "MULTIRUN",
        3,
        ["COMPLETED", "FAILED", "COMPLETED"],
    )
    assert (app.directory / "here" / "results.json").exists()
    assert "already holds a run" in start().stderr
    for command in (["rerun", "here"], ["rerun", "here", "--execute"], ["best", "here"]):
        said = cli(*command, cwd=app.directory)
        assert "was started from Python code" in said.out + said.err
        assert said.code == (0 if command[0] == "best" else 2)


def test_execute_looks_whether_the_job_was_run(app: App) -> None:
    """A command that ends well and runs nothing is a failure: the app has changed, say."""
    app.write("if cfg.x == 2:\n    raise ValueError('boom')\nreturn cfg.x", TABLES)
    done = app.run("-m", "x=1,2")
    (app.directory / "app.py").write_text("print('another app')\n")
    again = rerun_in(app, "--execute")
    assert again.returncode == 1
    assert "job 1 was not run again, although the command ended well" in again.stderr
    assert load_run(done.root).jobs[1].attempts == 1


def test_several_objectives_are_metrics(app: App) -> None:
    """A sequence of numbers, as a sweeper with two objectives wants it: a column each, everywhere."""
    app.write("return cfg.x**2, (cfg.x - 2) ** 2", TABLES)
    done = app.run("-m", "x=0,1,2")
    assert {"return_value.0", "return_value.1"} <= set(columns_of(done.root / "results.csv"))
    best = cli("best", done.root, "--sort-by", "return_value.1", "--mode", "min")
    assert best.out.startswith("job 2: x=2")
    assert "return_value.0" in cli("show", done.root).out
    assert load_run(done.root).best("return_value.0", "min").job_num == 0


@pytest.mark.optuna
def test_the_sweepers_direction_decides(app: App) -> None:
    """Optuna minimises: best, the callback and the report show the smallest, without being told."""
    config = """
    defaults:
      - callbacks: [results_aggregator_callback, report_callback]
      - override hydra/sweeper: optuna
      - _self_
    lr: 0.1
    hydra:
      sweeper: {direction: DIRECTION, n_trials: 4, n_jobs: 1, params: {lr: "choice(0.1, 0.2, 0.5, 0.9)"}}
      callbacks: {results_aggregator_callback: {sort_by: METRIC}}
    """
    config = textwrap.dedent(config)
    app.write("return 1 / cfg.lr", config.replace("DIRECTION", "minimize").replace("METRIC", "return_value"))
    done = app.run("-m")
    smallest = min(job.return_value for job in load_run(done.root).jobs)
    assert done.json("best.json")["return_value"] == smallest
    assert f"{smallest:.6g}" in cli("best", done.root).out
    assert "smallest return_value" in (done.root / "report.html").read_text()
    app.write(
        "return cfg.lr, 1 / cfg.lr", config.replace("DIRECTION", "[minimize, maximize]").replace("METRIC", "return_value.1")
    )
    done = app.run("-m", "hydra.sweep.dir=two")
    root = app.directory / "two"
    assert "Best in more than one respect" in (root / "report.html").read_text()
    front = cli("best", root).out
    assert "that no other beats in all objectives" in front
    assert "return_value.0 (min)" in front
    assert "return_value.1 (max)" in front


LABELLED = """
from decimal import Decimal
from fractions import Fraction
import numpy as np

class Series:
    "As pandas has it."
    shape = (2,)
    index = "acc loss".split()
    def tolist(self):
        return [0.85, 0.25]
    def items(self):
        return zip(self.index, self.tolist())
    def __len__(self):
        return 2

Series.__module__ = "pandas.core.series"
"""


def test_what_has_labels_keeps_them(app: App) -> None:
    """A Series is a mapping; what float() takes is a number, also where Python has no such kind."""
    body = """
    return {
        "series": Series(),
        "decimal": {"acc": Decimal("0.91"), "f": Fraction(1, 4)},
        "odd": {"long": np.longdouble(0.5), "zero_d": np.array(0.25)},
    }[cfg.kind]
    """
    app.write(body, TABLES + "kind: series\n", LABELLED)
    done = app.run("-m", "kind=series,decimal,odd")
    assert [row["return_value"] for row in done.json("results.json")] == [
        {"acc": 0.85, "loss": 0.25},
        {"acc": 0.91, "f": 0.25},
        {"long": 0.5, "zero_d": 0.25},
    ]


def test_jobs_that_share_a_directory_have_files_of_their_own(app: App) -> None:
    """`hydra.sweep.subdir` is the same for all jobs: the samples' files carry the job's number."""
    config = "defaults:\n  - callbacks: [resource_monitor_callback]\n  - _self_\nx: 0\nhydra: {sweep: {subdir: .}}\n"
    app.write("time.sleep(0.1)", config)
    done = app.sweep("joblib", "x=1,2")
    assert {file.name for file in done.root.glob("resources*")} == {"resources_0.csv", "resources_1.csv"}
    assert [job.facts["resources"]["file"] for job in load_run(done.root).jobs] == ["resources_0.csv", "resources_1.csv"]
    own = app.sweep("basic", "x=1,2", "hydra.sweep.subdir='${hydra.job.num}'", "hydra.sweep.dir=own")
    assert own.code == 0
    assert (app.directory / "own" / "0" / "resources.csv").exists()


GOES_ON = """
import json

def run(*words):
    sys.argv = ["app.py", *words]
    try:
        main()
    except SystemExit as error:
        print("EXIT", error.code)

run("-m", "x=1,2,3", "hydra.sweep.dir=a")
print("FILES", json.dumps(sorted(os.listdir("a"))))
time.sleep(0.5)
run("x=2", "hydra.run.dir=b")
print("FILES", json.dumps(sorted(os.listdir("b"))))
run("-m", "x=1,3", "hydra.sweep.dir=c")
print("END OF THE SCRIPT")
"""


def test_a_failed_sweep_ends_before_the_process(app: App) -> None:
    """Caught failures in a process that goes on: files at once, the time of the sweep alone, and nothing is printed late."""
    config = "defaults:\n  - callbacks: [standard_callbacks, report_callback, progress_callback]\n  - _self_\nx: 0\n"
    app.write("if cfg.x == 2:\n    raise ValueError('boom')\nreturn cfg.x", config)
    source = (app.directory / "app.py").read_text().partition("if __name__")[0]
    (app.directory / "app.py").write_text(source + GOES_ON)
    command = [sys.executable, "-u", "app.py"]
    done = subprocess.run(
        command, cwd=app.directory, env=app.environment(), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    listed = [line for line in done.stdout.splitlines() if line.startswith("FILES ")]
    assert all('"performance.json"' in line and '"results.json"' in line and '"report.html"' in line for line in listed)
    assert done.stdout.rstrip().endswith("END OF THE SCRIPT")
    run = load_run(app.directory / "a")
    assert (run.status, run.ended_at is not None) == ("FAILED", True)
    assert [job.status for job in run.jobs] == ["COMPLETED", "FAILED", "COMPLETED"]
    last_end = max(job.ended_at for job in run.jobs)
    next_start = load_run(app.directory / "b").started_at
    assert last_end <= run.ended_at < next_start


def test_a_composition_inside_a_job_ends_no_run(app: App) -> None:
    """A task function that composes another config changes Hydra's own object: the run goes on."""
    body = f"""
    from hydra import compose, initialize
    from hydra.core.global_hydra import GlobalHydra
    GlobalHydra.instance().clear()
    with initialize(config_path=None, **{VERSION_BASE!r}):
        compose(overrides=["+a=1"])
    if cfg.x == 2:
        raise ValueError("boom")
    return cfg.x
    """
    app.write(body, TABLES)
    done = app.run("-m", "x=1,2,3")
    assert [row["status"] for row in done.json("results.json")] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert done.stdout.count("Sweep ended") == 1


def test_a_job_of_a_sweep_is_one_job(app: App) -> None:
    """`compare` says nothing of jobs that did not start."""
    app.write("return cfg.x", TABLES)
    done = app.run("-m", "x=1,2,3")
    said = cli("compare", done.root / "0", done.root).out
    assert "1 completed" in said
    assert "not started" not in said


def test_gits_own_noise_is_no_reason(app: App) -> None:
    """Traces that the user has asked git for go to git's own place."""
    app.write("return 1", "defaults:\n  - callbacks: [provenance_callback]\n  - _self_\nx: 0\n")
    with_trace = app.run("hydra.run.dir=a", GIT_TRACE="1", GIT_TRACE2="1", GIT_CEILING_DIRECTORIES=str(app.directory.parent))
    assert "trace" not in with_trace.stdout + with_trace.stderr
    assert "is in no git repository" in (app.directory / "a" / "provenance.json").read_text()


def test_times_have_the_offset_of_their_own_day(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of the summer is shown in summer time, also in winter."""
    root = app.directory / "out"
    (root / ".callbacks").mkdir(parents=True)
    for name, month in (("a", "01"), ("b", "07")):
        line = (
            f'{{"v":1,"time":"2026-{month}-15T12:00:00.000000+00:00","run":"{name}","event":"run_started","host":"h","pid":1,'
            '"born":null,"facts":{"mode":"RUN"}}\n'
        )
        (root / ".callbacks" / f"{name}.h-1-x.jsonl").write_text(line)
    for name, hour in (("a", "13:00:00"), ("b", "14:00:00")):
        assert hour in cli("show", root, "--run", name, TZ="Europe/Berlin").out


def test_a_word_that_is_an_override_and_an_argument(app: App) -> None:
    """`-D name=q` beside `name=q`: each goes where it went."""
    preamble = ARGPARSE.replace('"--data", default="none"', '"-D", default="none"')
    app.write(
        "if not os.path.exists('fine'):\n    raise ValueError('boom')\nreturn [given.D, cfg.name]",
        "name: x\n" + TABLES,
        preamble,
    )
    for words in (["-D", "name=q", "-m", "name=q", "x=1,2"], ["name=q", "x=1,2", "-D", "name=q", "-m"]):
        (app.directory / "fine").unlink(missing_ok=True)
        app.run(*words)
        (app.directory / "fine").touch()
        assert rerun_in(app, "--execute").returncode == 0
        assert [job.return_value for job in load_run(app.directory / "out").jobs] == [["name=q", "q"]] * 2


def test_a_command_that_has_become_a_sweep_starts_nothing(app: App) -> None:
    """The app adds `-m` and a sweep to its own command line: running one job of it again would write over the others."""
    preamble = "sys.argv[1:] = ['-m', 'x=1,2', *[word for word in sys.argv[1:] if word != '--sweep']]"
    app.write("if cfg.x == 2:\n    raise ValueError('boom')\nreturn cfg.x", TABLES, preamble)
    done = app.run("--sweep", "hydra.sweep.dir=out")
    assert load_run(done.root).count("COMPLETED") == 1
    again = rerun_in(app, "--execute")
    assert again.returncode == (2 if "from Python code" in again.stderr else 1)
    assert [job.status for job in load_run(done.root).jobs] == ["COMPLETED", "FAILED"]
    assert load_run(done.root).jobs[0].attempts == 1


def test_validation_decides_before_others_act(app: App) -> None:
    """Wherever it stands in the list: a run that is not valid moves no link and writes no file but why."""
    config = """
    defaults:
      - callbacks: [standard_callbacks, validation_callback]
      - _self_
    x: 0
    hydra: {callbacks: {validation_callback: {json_schema: {properties: {x: {maximum: 3}}}}}}
    """
    app.write("return cfg.x", textwrap.dedent(config))
    app.run("x=1", "hydra.run.dir=runs/good")
    refused = app.run("x=4", "hydra.run.dir=runs/bad")
    assert refused.code == 1
    assert (app.directory / "runs" / "latest").resolve().name == "good"
    assert [path.name for path in (app.directory / "runs" / "bad").iterdir()] == [".callbacks"]
    assert "x = 4" in load_run(app.directory / "runs" / "bad").facts["aborted"]
    assert load_run(app.directory / "runs" / "bad").ended_at is not None
