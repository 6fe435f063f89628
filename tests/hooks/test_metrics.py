"""`report_metrics`: from the task function and from callbacks, in every kind of process, and where nobody records."""

import json
import math
import os
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from apps import App
from hook_calls import call_job, config_of, job_of, returned

from hydra_callback_kit import FactError, LoggingCallback, RecordingCallback, load_run, report_metrics
from hydra_callback_kit.hooks.metric_recorder import MAX_NAMES, listen
from hydra_callback_kit.hooks.metric_values import number_of
from hydra_callback_kit.journal.metric import Metric
from hydra_callback_kit.journal.metric_points import NAME, points_of
from hydra_callback_kit.journal.reader import read_run

IMPORT = "from hydra_callback_kit import report_metrics"
CONFIG = """
defaults:
  - callbacks: [results_aggregator_callback]
  - _self_
x: 0
hydra:
  callbacks:
    results_aggregator_callback: {output_file: [results.json, results.csv], sort_by: val/loss, average_over: [seed]}
"""
TRAINS = """
for epoch in range(3):
    report_metrics({"val/loss": (cfg.x + 1) / (epoch + 1), "nested": {"epoch": epoch}}, lr=0.1, step=epoch)
"""


class _Scope:
    """A job whose hooks are called by hand."""

    def __init__(self, root: Path, **job: Any) -> None:
        self.callback = LoggingCallback()
        run = config_of(root, mode="MULTIRUN")
        self.callback.on_multirun_start(config=run, config_name="config")
        self.config = job_of(run, **job) if job else job_of(run, num=0, id="0")
        self.callback.on_job_start(config=self.config, task_function=len)

    def end(self, value: Any = None) -> None:
        self.callback.on_job_end(config=self.config, job_return=returned(value))


def test_an_app_that_returns_nothing_has_results(app: App, launcher: str) -> None:
    """Under every launcher: a column, a best job, averages, and the points in a file beside the job's other files."""
    app.write(TRAINS, CONFIG + "seed: 0", IMPORT)
    done = app.sweep(launcher, "x=0,1", "seed=1,2")
    assert done.code == 0, done.stderr
    head, *rows = (done.root / "results.csv").read_text().splitlines()
    place = head.split(",").index("val/loss")
    assert [float(row.split(",")[place]) for row in rows] == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert done.json("best.json")["job"]["metrics"]["val/loss"]["max"] == 1.0
    averaged = done.json("results_averaged.json")
    assert [each["metrics"]["val/loss"]["mean"] for each in averaged] == pytest.approx([1 / 3, 2 / 3])
    run = load_run(done.root)
    assert run.jobs[2].metrics["nested.epoch"] == Metric(2, 2, 0, 0, 2, 2, 3)
    assert (run.best("val/loss").job_num, run.best("val/loss.max", "max").job_num) == (0, 2)
    rows = run.metrics("val/loss")
    assert [(row["job_num"], row["x"], row["seed"], row["step"]) for row in rows][3:5] == [(1, 0, 2, 0), (1, 0, 2, 1)]
    assert [json.loads(line)["step"] for line in (done.root / "3" / NAME).read_text().splitlines()[1:]] == [0, 1, 2]


def test_nothing_is_on(app: App) -> None:
    """The app runs as it would without the calls."""
    app.write(TRAINS, "x: 0", IMPORT)
    done = app.run()
    assert (done.code, done.stderr) == (0, "")
    assert sorted(file.name for file in done.root.iterdir()) == [".hydra", "app.log"]


def test_a_task_function_under_test_pays_nothing() -> None:
    """Outside of a job nothing happens, and neither Hydra nor the journal is imported for it."""
    code = (
        f"{IMPORT}\nimport sys\nreport_metrics({{'loss': 1}}, step=3)\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('hydra', 'omegaconf', 'json')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr


def test_a_job_that_is_killed_keeps_its_points_and_one_that_fails_its_summary(app: App) -> None:
    """Each point is on disk as the call returns."""
    ends = TRAINS + 'if cfg.x == 1:\n    raise ValueError("boom")\nif cfg.x == 2:\n    os.kill(os.getpid(), signal.SIGKILL)'
    app.write(ends, CONFIG, IMPORT)
    done = app.sweep("submitit_local", "x=0,1,2")
    run = load_run(done.root)
    assert [job.status for job in run.jobs] == ["COMPLETED", "FAILED", "INTERRUPTED"]
    assert [job.metrics["val/loss"].last for job in run.jobs] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert [len(list(points_of(job))) for job in run.jobs] == [3, 3, 3]


def test_another_attempt_goes_on_in_the_same_file(app: App) -> None:
    """One that goes on from a checkpoint has one curve with the first, and its extremes are those of both."""
    body = """
    first = not os.path.exists("failed")
    for step in range(0 if first else 3, 5 if first else 6):
        report_metrics(loss=10 - step if first else 5 - step, step=step)
    report_metrics({"of the first only": 1} if first else {"of the second only": 1})
    if first:
        open("failed", "w").close()
        raise ValueError("boom")
    """
    app.write(body, "defaults: [{callbacks: [retry_callback]}, _self_]\nx: 0", IMPORT)
    done = app.sweep("basic", "x=0", "hydra.job.chdir=false")
    assert done.code == 0, done.stderr
    (job,) = load_run(done.root).jobs
    assert job.metrics["loss"] == Metric(0, 5, 0, 5, 10, 0, 6)
    assert [point.values["loss"] for point in points_of(job) if "loss" in point.values] == [10, 9, 8, 2, 1, 0]
    assert job.attempts == 2


def test_what_the_job_returned_counts_before_what_it_reported(app: App) -> None:
    """One column, one value."""
    app.write('report_metrics({"loss": 3, "other": 4})\nreturn {"loss": 1}', CONFIG, IMPORT)
    done = app.run()
    head, row = (done.root / "results.csv").read_text().splitlines()
    cells = dict(zip(head.split(","), row.split(","), strict=True))
    assert (cells["return_value.loss"], cells["other"], "loss" in cells) == ("1", "4", False)
    assert load_run(done.root).best("loss").metrics["loss"].last == 3


@pytest.mark.parametrize("wrong", [[1, 2], "loss", 0.3])
def test_what_is_no_mapping_is_refused(wrong: Any) -> None:
    """At the first call, whether a callback is on or not."""
    with pytest.raises(FactError, match="mapping such as"):
        report_metrics(wrong)


@pytest.mark.parametrize("wrong", ["3", math.nan, math.inf, True, [1]])
def test_a_step_that_is_no_number_is_refused(tmp_path: Path, wrong: Any) -> None:
    """With what to write in its place."""
    job = _Scope(tmp_path)
    with pytest.raises(FactError, match=r"is no number\. Write for example"):
        report_metrics(loss=1, step=wrong)
    job.end()


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((True, 1), (3, 3), (0.5, 0.5), (np.float32(0.5), 0.5), (np.int64(3), 3), (np.array([[2.5]]), 2.5)),
        *((Fraction(1, 4), 0.25), (np.bool_(True), 1), (10**400, None), (None, None), ("3", None), (b"3", None)),
        *((np.array([1, 2]), None), (1j, None), ([1], None), (object(), None)),
        (type("OddShape", (), {"shape": "wide"})(), None),
    ],
)
def test_what_is_a_number(value: Any, number: float | None) -> None:
    """What holds a single one, of whatever kind."""
    found = number_of(value)
    assert (found, type(found)) == (number, type(number))


def test_what_is_no_number_is_left_out_with_a_word_and_costs_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A metric that is None now and then does not end a training of ten hours."""
    job = _Scope(tmp_path)
    for step in range(3):
        report_metrics({"auc here": None, "loss": float(step)}, step=step)
    report_metrics({"auc here": None})
    job.end()
    assert read_run(tmp_path).jobs[0].metrics["loss"].points == 3
    assert [record.getMessage() for record in caplog.records if "auc here" in record.getMessage()] == [
        "The metric 'auc here' is left out where it is no single number, but of type NoneType."
    ]


def test_names_without_end_are_left_out_with_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An app that puts the step into the name."""
    job = _Scope(tmp_path)
    for step in range(MAX_NAMES + 5):
        report_metrics({f"loss_{step}": 1.0})
    job.end()
    assert len(read_run(tmp_path).jobs[0].metrics) == MAX_NAMES
    assert "more than 1,000 metrics" in caplog.text


def test_from_a_thread_and_from_hooks_at_the_start_and_at_the_end(tmp_path: Path) -> None:
    """A callback may report what it measures; what it says at the end is added to what there was."""

    class Measures(RecordingCallback):
        def on_job_start(self, config: Any, **kwargs: Any) -> None:
            report_metrics(start=1)

        def on_job_end(self, config: Any, **kwargs: Any) -> None:
            report_metrics(end=2, loss=0.25)

    callback = Measures()
    config = config_of(tmp_path)
    callback.on_run_start(config=config, config_name="config")
    callback.on_job_start(config=config, task_function=len)
    thread = threading.Thread(target=lambda: report_metrics(loss=0.5))
    thread.start()
    thread.join()
    callback.on_job_end(config=config, job_return=returned(1))
    report_metrics(after="the job")
    metrics = read_run(tmp_path).jobs[0].metrics
    assert {name: (metric.last, metric.points) for name, metric in metrics.items()} == {
        "start": (1, 1),
        "loss": (0.25, 2),
        "end": (2, 1),
    }


def test_who_listens_hears_each_report_until_the_job_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And may fail without harm."""
    job = _Scope(tmp_path)
    heard: list[Any] = []
    listen(job.config, lambda *_: 1 / 0)
    listen(job.config, lambda values, step, time: heard.append((dict(values), step, time[:2])))
    report_metrics({"a": {"b": 1}}, c=math.nan, step=4)
    job.end()
    report_metrics(a=5)
    assert repr(heard) == repr([({"a.b": 1, "c": math.nan}, 4, "20")])
    assert caplog.text.count("ZeroDivisionError") == 1


def test_what_lies_in_the_files_place_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file of the user's, but not one of ours of an earlier run."""
    file = tmp_path / "metrics_0.jsonl"  # the jobs of these configs share a directory
    file.write_text("mine\n")
    job = _Scope(tmp_path)
    report_metrics(loss=1)
    job.end()
    assert (tmp_path / f"{file.name}.bak").read_text() == "mine\n"
    assert "is not what hydra-callback-kit wrote" in caplog.text
    job = _Scope(tmp_path)
    report_metrics(loss=2)
    job.end()
    assert len(file.read_text().splitlines()) == 2
    assert not (tmp_path / f"{file.name}.bak2").exists()


def test_jobs_that_share_a_directory_have_files_of_their_own(app: App) -> None:
    """Their points do not mix."""
    app.write(TRAINS, CONFIG, IMPORT)
    done = app.sweep("basic", "x=0,1", "hydra.sweep.subdir=same")
    assert sorted(file.name for file in (done.root / "same").glob("metrics*")) == ["metrics_0.jsonl", "metrics_1.jsonl"]
    assert [row["value"] for row in load_run(done.root).metrics("val/loss")] == pytest.approx([1, 1 / 2, 1 / 3, 2, 1, 2 / 3])


def test_a_disk_that_takes_nothing_costs_the_points_and_not_the_job(app: App) -> None:
    """The summary is on record all the same, in the journal; what is the matter is said once."""
    body = """
    import shutil
    from hydra.core.hydra_config import HydraConfig
    shutil.rmtree(HydraConfig.get().runtime.output_dir)
    report_metrics(loss=1)
    report_metrics(loss=0.5)
    """
    app.write(body, CONFIG, IMPORT)
    done = app.sweep("basic", "x=0", "hydra.job_logging.root.handlers=[console]")
    assert done.code == 0
    assert (done.stdout + done.stderr).count("report_metrics could not do its work") == 1
    assert load_run(done.root).jobs[0].metrics["loss"].last == 0.5


def test_secrets_are_in_no_name(tmp_path: Path) -> None:
    """A name is a text of the app's."""
    callback = LoggingCallback()
    run = config_of(tmp_path, {"password": "hunter2-hunter2"}, "MULTIRUN")
    callback.on_multirun_start(config=run, config_name="config")
    job = job_of(run, {"password": "hunter2-hunter2"}, num=0, id="0")
    callback.on_job_start(config=job, task_function=len)
    report_metrics({"loss of hunter2-hunter2": 1})
    callback.on_job_end(config=job, job_return=returned(1))
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*.jsonl"))
    assert b"hunter2" not in written
    assert b"loss of <redacted" in written


def test_a_csv_file_of_lightnings_is_taken_where_it_is_asked_for(app: App) -> None:
    """The newest one, but for what the job has reported itself."""
    body = """
    from pathlib import Path
    root = Path(hydra.core.hydra_config.HydraConfig.get().runtime.output_dir) / "csv" / "version_0"
    root.mkdir(parents=True)
    (root / "metrics.csv").write_text(
        "epoch,step,train_loss,val_loss\\n0,9,0.9,\\n0,9,,0.8\\n1,19,0.5,\\n1,19,,0.4\\n1,20,oops,\\n"
    )
    report_metrics(train_loss=7)
    """
    app.write(body, CONFIG, IMPORT + "\nimport hydra.core.hydra_config")
    asked = 'hydra.callbacks.results_aggregator_callback.metrics_file="**/metrics.csv"'
    done = app.sweep("joblib", "x=0,1", asked, "hydra.callbacks.results_aggregator_callback.sort_by=val_loss")
    assert done.code == 0, done.stderr
    for job in load_run(done.root).jobs:
        assert job.metrics == {"train_loss": Metric.of(7, None), "val_loss": Metric(0.4, 19, 0.4, 19, 0.8, 9, 2)}
    for file in done.root.rglob("metrics.csv"):
        os.utime(file, (1e9, 1e9))
    app.write("pass", CONFIG, IMPORT)
    again = load_run(app.sweep("basic", "x=0,1", asked).root)
    assert [job.metrics for job in again.jobs] == [{}, {}]  # the files are not these jobs'
    refused = app.run('hydra.callbacks.results_aggregator_callback.metrics_file="/tmp/*.csv"')
    assert "metrics_file" in refused.stderr
    assert "a glob below the job" in refused.stderr


def test_a_job_that_takes_too_long_while_it_reports_is_told(app: App) -> None:
    """In a value's own method, and in ours; the summary has what came before."""
    body = """
    class Slow:
        def item(self):
            time.sleep(0.2)
            return 1.0
    for step in range(60):
        report_metrics(loss=Slow() if cfg.x else 1.0, step=step)
        if not cfg.x:
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                report_metrics(many=1)
    """
    app.write(body, "defaults: [{callbacks: [time_limit_callback]}, _self_]\nx: 0", IMPORT)
    done = app.sweep("basic", "x=0,1", "hydra.callbacks.time_limit_callback.job_s=1")
    assert done.code == 1
    for job in load_run(done.root).jobs:
        assert (job.status, job.error.type) == ("FAILED", "hydra_callback_kit.JobTimeoutError")
        assert 0 < job.metrics["loss"].points < 60


def test_what_a_signals_handler_raises_or_reports_meanwhile(app: App) -> None:
    """It reaches the job; and a report within a report does not wait for itself, in a log handler or a value either."""
    body = """
    import logging
    def raises(*_):
        raise RuntimeError("from the handler")
    class Reports:
        def __float__(self):
            report_metrics(within=1)
            return 2.0
    class Counts(logging.Handler):
        def emit(self, record):
            report_metrics(warnings=1)
    logging.getLogger().addHandler(Counts())
    report_metrics(odd=Reports(), none=None)
    signal.signal(signal.SIGALRM, lambda *_: report_metrics(saved=1))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    until = time.monotonic() + 1
    while time.monotonic() < until:
        report_metrics(loss=1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, raises)
    signal.alarm(1)
    while True:
        report_metrics(loss=1)
    """
    app.write(body, CONFIG, IMPORT)
    done = app.run(timeout_s=60)
    (job,) = load_run(done.root).jobs
    assert (job.status, job.error.message) == ("FAILED", "from the handler")
    assert {name: metric.last for name, metric in job.metrics.items()} == {
        "within": 1,
        "odd": 2.0,
        "warnings": 1,
        "saved": 1,
        "loss": 1,
    }


def test_what_some_jobs_return_and_others_only_report_is_one_column(app: App) -> None:
    """A job that failed has its last value there, one that returned it what it returned, in the averages as well."""
    body = """
    report_metrics(loss=float(cfg.x))
    if cfg.x == 1:
        raise ValueError("boom")
    return {"loss": 10.0 * cfg.x} if cfg.x == 2 else None
    """
    config = CONFIG.replace("sort_by: val/loss", "sort_by: loss").replace("[seed]", "[x]")
    app.write(body, config, IMPORT)
    done = app.sweep("basic", "x=1,2,3")
    head, *rows = [line.split(",") for line in (done.root / "results.csv").read_text().splitlines()]
    cells = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(row["loss"], row["return_value.loss"]) for row in cells] == [("1.0", ""), ("20.0", "20.0"), ("3.0", "")]
    (averaged,) = done.json("results_averaged.json")
    assert averaged["metrics"]["loss"]["mean"] == 11.5


def test_a_directory_that_is_used_again_or_shared_mixes_no_points(app: App) -> None:
    """Of an earlier run in it there are none any more; jobs that share it by an override of their own keep theirs."""
    app.write("for i in range(cfg.n):\n    report_metrics(loss=cfg.x - i, step=i)", CONFIG + "n: 3\nlr: 1", IMPORT)
    first = load_run(app.sweep("basic", "x=1,2").root)
    again = load_run(app.sweep("basic", "x=7", "n=1").root)
    assert [row["value"] for row in again.metrics("loss")] == [7]
    earlier = load_run(again.root, first.run_id)
    assert (earlier.jobs[0].metrics["loss"].last, [row["value"] for row in earlier.metrics("loss")]) == (-1, [2, 1, 0])
    shared = load_run(
        app.sweep("joblib", "x=10,20,30", "hydra.sweep.subdir='d${lr}'", "hydra.sweep.dir=shared").root.parent / "shared"
    )
    assert [row["value"] for row in shared.metrics("loss")] == [10, 9, 8, 20, 19, 18, 30, 29, 28]


def test_a_forked_child_reports_nothing(app: App) -> None:
    """A worker that loads data is not the job."""
    body = """
    report_metrics(loss=1)
    if os.fork() == 0:
        report_metrics(loss=2)
        os._exit(0)
    os.wait()
    """
    app.write(body, CONFIG, IMPORT)
    assert load_run(app.run().root).jobs[0].metrics["loss"].points == 1


def test_a_job_without_reports_has_no_file(tmp_path: Path) -> None:
    """Nor a line more."""
    call_job(LoggingCallback(), config_of(tmp_path))
    assert not (tmp_path / NAME).exists()
    assert b"metrics" not in b"".join(file.read_bytes() for file in (tmp_path / ".callbacks").iterdir())
