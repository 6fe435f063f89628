"""End to end: the results table in all its formats, from real sweeps."""

import contextlib
import csv
import io
import json
import re
import subprocess
import time
from collections.abc import Iterator

import pyarrow.parquet
import pytest
from apps import LAUNCHERS, App, Finished, end_what_is_left
from terminal import cli

from hydra_callback_kit.journal.reader import read_run

CONFIG = """
defaults:
  - model: mlp
  - callbacks: [results_aggregator_callback]
  - _self_
x: 0
seed: 0
optim: {lr: 0.1, name: sgd}
layers: [1]
gone: 1
token: t0p-secret
"""
OPTION = "hydra.callbacks.results_aggregator_callback"


def write_models(app: App) -> None:
    """Two choices for the group `model`."""
    (app.directory / "model").mkdir()
    for name in ("mlp", "cnn"):
        (app.directory / "model" / f"{name}.yaml").write_text(f"kind: {name}\n", "utf-8")


def rows_of(done: Finished, name: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO((done.root / name).read_bytes().decode("utf-8"))))


def test_every_format_holds_the_sweep(app: App) -> None:
    """All kinds of overrides and values, a metric that comes late, a failed job; ranking, and averages over seeds."""
    app.write(
        """
        if cfg.model.kind == "cnn" and cfg.seed == 2:
            raise ValueError("pipes | and,\\nlines")
        value = {"accuracy": cfg.seed / 4, "loss": {"test": float("nan") if cfg.seed == 2 else -float("inf")}}
        return {**value, "late": True} if cfg.seed == 2 else value
        """,
        CONFIG,
    )
    write_models(app)
    done = app.sweep(
        "basic",
        *("model=mlp,cnn", "seed=1,2", "optim.lr=0.01", "+added='a=b, \"ü\"'", "~gone=1", "layers=[1,2]", "optim={name: x}"),
        f"{OPTION}.output_file=[results.json,all/results.jsonl,results.csv,results.md,results.parquet]",
        *(f"{OPTION}.sort_by=accuracy", f"{OPTION}.average_over=[seed]"),
    )
    assert done.code == 1
    rows = done.json("results.json")
    assert [(row["overrides"]["model"], row["overrides"]["seed"]) for row in rows] == [
        ("mlp", 1),
        ("mlp", 2),
        ("cnn", 1),
        ("cnn", 2),
    ]
    varied = {"optim.lr": 0.01, "added": 'a=b, "ü"', "~gone": 1, "layers": [1, 2], "optim": {"name": "x"}}
    assert [row["overrides"] for row in rows] == [{**row["overrides"], **varied} for row in rows]
    assert rows[0]["config"]["token"] == "<redacted>"  # noqa: S105  no password
    assert rows[0]["config"]["model"] == {"kind": "mlp"}
    assert "t0p-secret" not in (done.root / "results.json").read_text("utf-8")
    assert rows[1]["return_value"] == {"accuracy": 0.5, "loss": {"test": "NaN"}, "late": True}
    assert (done.root / "all" / "results.jsonl").read_text("utf-8").count("\n") == 4

    table = rows_of(done, "results.csv")
    assert [row["seed"] for row in table] == ["1", "2", "1", "2"]
    assert [row["return_value.loss.test"] for row in table] == ["-inf", "nan", "-inf", ""]
    assert [row["return_value.late"] for row in table] == ["", "true", "", ""]
    assert table[0]["added"] == 'a=b, "ü"'
    assert table[3]["error_message"] == "pipes | and,\nlines"

    schema = pyarrow.parquet.read_table(done.root / "results.parquet")
    kinds = {"job_num": "int64", "seed": "int64", "optim.lr": "double", "return_value.late": "bool", "model": "string"}
    assert {name: str(schema.schema.field(name).type) for name in kinds} == kinds
    assert str(schema.schema.field("started_at").type) == "timestamp[us, tz=UTC]"
    assert schema.column("status").to_pylist() == ["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"]

    text = (done.root / "results.md").read_text("utf-8").splitlines()
    assert len({line.count(" | ") for line in text[:5]}) == 1
    assert "pipes \\| and, lines" in text[5]

    assert re.search(
        r"Best settings by accuracy \(max of the mean over seed\):\n\| seeds .*\n.*\n\| 2 +\| 0\.38 ± 0\.12 ", done.stdout
    )
    assert done.json("best.json")["job"]["job_num"] == 1
    averaged = rows_of(done, "results_averaged.csv")
    assert [(row["model"], row["jobs"], row["completed"]) for row in averaged] == [("mlp", "2", "2"), ("cnn", "2", "1")]
    assert float(averaged[0]["return_value.accuracy.mean"]) == pytest.approx(0.375)
    assert averaged[0]["return_value.loss.test.mean"] == "nan"


def interrupted(app: App, launcher: str, *arguments: str) -> Finished:
    """Runs the app, which interrupts itself; joblib hangs then in one of thirty runs, without us as well."""
    for _ in range(3 if launcher == "joblib" else 1):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return app.sweep(launcher, "x=0,1,2", *arguments, timeout_s=40)
    return pytest.fail("it hangs")


@pytest.fixture
def ended(app: App) -> Iterator[None]:
    """On Hydra 1.4 a worker of joblib's that Ctrl-C has reached may pickle for ever, an exception that knows itself.

    Hydra notes on it the return of the job, which holds it; without us as well.
    """
    yield
    end_what_is_left(app.directory)


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_ctrl_c_loses_no_row(app: App, launcher: str) -> None:
    """Ctrl-C reaches the app and its workers: a row for each job that started, the exit code as without us."""
    app.write(
        """
        if cfg.x == 1:
            os.killpg(int(os.environ["APP_PID"]), signal.SIGINT)
            time.sleep(2)
        return cfg.x
        """,
        CONFIG,
        'os.environ.setdefault("APP_PID", str(os.getpid()))',
    )
    write_models(app)
    done = interrupted(app, launcher)
    assert done.code == interrupted(app, launcher, "callbacks=[]", "hydra.sweep.dir=bare").code
    if launcher == "submitit_local":  # a job in a process of its own may take a moment longer than the sweep
        deadline = time.monotonic() + 60
        while read_run(done.root).count("RUNNING") and time.monotonic() < deadline:
            time.sleep(0.1)
        assert cli("show", done.root, "--remake").code == 0
    statuses = {row["job_num"]: row["status"] for row in done.json("results.json")}
    assert statuses[1] != "RUNNING"
    if launcher == "basic":
        assert statuses == {0: "COMPLETED", 1: "INTERRUPTED"}


def test_huge_and_strange_values_are_cut_and_say_so(app: App) -> None:
    """Megabytes, objects and a metric beside them: the table stays small, and the metric is there."""
    app.write(
        """
        many = {i: i for i in range(150)}
        return {"acc": 0.5, "pixels": list(range(10**6)), "text": "ä" * 10**6, "object": cfg.get, "many": many}
        """,
        CONFIG,
    )
    write_models(app)
    done = app.run(f"{OPTION}.output_file=[results.json,results.csv,results.md]")
    (row,) = done.json("results.json")
    assert row["return_value"]["acc"] == 0.5
    assert row["return_value"]["pixels"]["length"] == row["return_value"]["text"]["length"] == 10**6
    assert row["return_value"]["object"].keys() == {"repr", "type"}
    assert (done.root / "results.json").stat().st_size < 100_000
    (flat,) = rows_of(done, "results.csv")
    assert [column for column in flat if column.startswith("return_value")] == [
        f"return_value.{key}" for key in ("acc", "pixels", "text", "object", "many")
    ]
    assert max(map(len, (done.root / "results.md").read_text("utf-8").splitlines())) < 1_000


def test_a_file_that_is_not_ours_is_kept(app: App) -> None:
    """It is moved aside with a word in the log; what our own earlier runs wrote is replaced without one."""
    app.write("return cfg.x", CONFIG)
    write_models(app)
    (app.directory / "out").mkdir()
    (app.directory / "out" / "results.csv").write_text("by hand", "utf-8")
    (app.directory / "out" / "results.csv.bak").write_text("earlier by hand", "utf-8")
    first = app.run("x=1", f"{OPTION}.output_file=results.csv")
    assert "results.csv.bak2" in first.stdout
    second = app.run("x=2", f"{OPTION}.output_file=results.csv")
    assert "results.csv.bak" not in second.stdout
    assert (second.root / "results.csv.bak").read_text("utf-8") == "earlier by hand"
    assert (second.root / "results.csv.bak2").read_text("utf-8") == "by hand"
    assert [row["x"] for row in rows_of(second, "results.csv")] == ["2"]


def test_a_metric_that_no_job_returned_is_named(app: App) -> None:
    """The log names the nearest metric and all there are, and best.json holds no job of an earlier run."""
    app.write("return {'acc': 1, 'loss': {'test': 2}}", CONFIG)
    write_models(app)
    app.run(f"{OPTION}.sort_by=acc")
    assert app.run(f"{OPTION}.sort_by=acc").json("best.json")
    done = app.run(f"{OPTION}.sort_by=accu")
    assert "[WARNING] - sort_by='accu' ranks nothing." in done.stdout
    assert "Did you mean acc? Metrics are: acc, loss.test." in done.stdout
    assert not (done.root / "best.json").exists()


def test_names_that_are_ours_are_the_users_too(app: App) -> None:
    """Overrides, metrics and facts called like our columns, and like one another: none is lost, in any view."""
    body = """
    hydra_callback_kit.add_job_facts({"jobs": cfg.jobs + 3, "return_value.loss": cfg.jobs + 4, "returned": 5})
    hydra_callback_kit.add_run_facts({"status ": 1, "jobs_failed": 7, "jobs": 8})
    return {"status": cfg.jobs, "jobs": cfg.jobs + 1, "loss": cfg.jobs + 2}
    """
    config = """
    defaults:
      - callbacks: [results_aggregator_callback]
      - _self_
    jobs: 0
    status: a
    seed: 0
    hydra: {callbacks: {results_aggregator_callback: {output_file: [results.csv, results.json], average_over: [seed]}}}
    """
    app.write(body, config, "import hydra_callback_kit")
    done = app.run("-m", "jobs=10,20", "status=a", "seed=1,2")
    with (done.root / "results.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["status"], first["overrides.status"], first["return_value.status"]) == ("COMPLETED", "a", "10")
    assert (first["jobs"], first["return_value.jobs"], first["facts.jobs"]) == ("10", "11", "13")
    assert (first["return_value.loss"], first["facts.return_value.loss"]) == ("12", "14")
    with (done.root / "results_averaged.csv").open(encoding="utf-8", newline="") as file:
        average = next(csv.DictReader(file))
    assert (average["jobs"], average["overrides.jobs"], average["return_value.jobs.mean"], average["jobs.mean"]) == (
        *("2", "10", "11.0", "13.0"),
    )
    assert (average["return_value.loss.mean"], average["facts.return_value.loss.mean"]) == ("12.0", "14.0")
    shown = cli("show", done.root, "--json").json()
    assert (shown["jobs_failed"], shown["facts.jobs_failed"], shown["facts.jobs"], len(shown["jobs"])) == (0, 7, 8, 4)
    table = cli("show", done.root).out
    assert "facts.jobs" in table
    single = cli("show", app.run("jobs=1", "hydra.run.dir=single").directory / "single").words()
    assert ["facts.returned", "5"] in single


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_hydras_node_of_each_job_where_it_is_asked_for(app: App, launcher: str) -> None:
    """Resolved and redacted, in JSON and in Python; no table has a column of it. Nothing of it is recorded otherwise."""
    app.write("return cfg.x", CONFIG)
    write_models(app)
    given = ("x=1,2", "model=cnn", "token=t0p-secret-2", "+api_key=abc", "+hydra.job.env_set.SOME_TOKEN=hidden-one")
    files = f"{OPTION}.output_file=[results.json,results.jsonl,results.csv]"
    done = app.sweep(launcher, *given, files, f"{OPTION}.include_hydra=true", "hydra.sweep.subdir=job-${hydra.job.num}")
    assert done.code == 0, done.stderr
    rows = done.json("results.json")
    assert isinstance(rows, list)
    for num, row in enumerate(rows):
        node = row["hydra_config"]
        assert node["sweep"] == {"dir": "out", "subdir": f"job-{num}"}
        assert node["runtime"]["choices"]["model"] == "cnn"
        assert node["job"]["num"] == num
        assert node["job"]["env_set"] == {"SOME_TOKEN": "<redacted>"}
        assert node["overrides"]["task"] == [f"x={num + 1}", "model=cnn", "token=<redacted>", "+api_key=<redacted>"]
        assert node["launcher"]["_target_"].endswith("Launcher")
        assert node["callbacks"]["results_aggregator_callback"]["include_hydra"] is True
        assert "hydra_config" not in row["facts"]
        assert row["config"]["x"] == num + 1
    assert "t0p-secret-2" not in str(rows)
    assert not [name for name in rows_of(done, "results.csv")[0] if "hydra" in name]
    assert "hydra_config" not in cli("show", done.root).out
    only = app.sweep(
        launcher, *given, files, f"{OPTION}.include_hydra=true", f"{OPTION}.include_config=false", "hydra.sweep.dir=only"
    )
    assert only.code == 0
    for line in (app.directory / "only" / "results.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        assert row["hydra_config"]["job"]["num"] == row["job_num"]
        assert "config" not in row
    app.sweep(launcher, *given, files, "hydra.sweep.dir=plain")
    journal = b"".join(file.read_bytes() for file in (app.directory / "plain" / ".callbacks").glob("*.jsonl"))
    assert b"hydra_config" not in journal
    assert "hydra_config" not in (app.directory / "plain" / "results.json").read_text("utf-8")


def test_a_single_run_has_no_seeds_to_miss(app: App) -> None:
    """The same config serves sweeps and single runs, and only a sweep is told of a key that no job was given."""
    app.write("return {'accuracy': 0.5}", CONFIG)
    write_models(app)
    asked = (f"{OPTION}.sort_by=accuracy", f"{OPTION}.average_over=[seed]")
    assert "which no job was given" not in app.run(*asked).stdout
    assert "average_over names 'seed', which no job was given" in app.sweep("basic", "model=mlp,cnn", *asked).stdout
