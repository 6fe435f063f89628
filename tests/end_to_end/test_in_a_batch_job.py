"""End to end: what Slurm says of a job is on record, in the tables, in `show` and in the report."""

import csv
import json

from apps import App
from terminal import cli

from hydra_callback_kit.journal.reader import read_run

CALLBACKS = """
defaults:
  - callbacks: [results_aggregator_callback, provenance_callback, report_callback]
  - _self_
x: 0
hydra: {callbacks: {results_aggregator_callback: {output_file: [results.csv, results.md]}}}
"""
SLURM = {
    "SLURM_JOB_ID": "15",
    "SLURM_ARRAY_JOB_ID": "12",
    "SLURM_ARRAY_TASK_ID": "3",
    "SLURM_JOB_NODELIST": "n[1-2]",
    "SLURM_JOB_PARTITION": "gpu",
    "SLURM_JOB_GPUS": "4,5",
    "CUDA_VISIBLE_DEVICES": "0,1",
    "SLURM_GPUS_ON_NODE": "2",
}
FACTS = {"system": "slurm", "job": "15", "restarts": 0, "array_job": "12", "array_index": "3", "node_list": "n[1-2]"}


def test_a_run_in_a_job_of_slurms(app: App) -> None:
    """A single run: what is known is one line of `show`, and part of the provenance."""
    app.write("return {'loss': cfg.x}", CALLBACKS)
    done = app.run("x=1", **SLURM)
    assert done.code == 0
    (job,) = read_run(done.root).jobs
    assert job.facts["batch"].items() >= {**FACTS, "partition": "gpu", "gpus": "4,5", "gpus_on_node": "2"}.items()
    provenance = json.loads((done.root / "provenance.json").read_text("utf-8"))
    assert provenance["batch"].items() >= FACTS.items()
    assert "  ran as     slurm 12_3 on n[1-2], partition gpu, GPUs 4,5\n" in cli("show", done.root).out
    assert json.loads(cli("show", done.root, "--json").out)["jobs"][0]["facts"]["batch"]["partition"] == "gpu"


def test_a_sweep_in_a_job_of_slurms(app: App) -> None:
    """The table has columns of it, which are no metrics; people's tables and `show` are not filled with them."""
    app.write("return {'loss': cfg.x}", CALLBACKS)
    done = app.run("-m", "x=1,2", **SLURM)
    rows = list(csv.DictReader((done.root / "results.csv").read_text("utf-8").splitlines()))
    assert [row["batch.node_list"] for row in rows] == ["n[1-2]", "n[1-2]"]
    assert [row["batch.array_index"] for row in rows] == ["3", "3"]
    assert "batch" not in cli("show", done.root).out
    assert "slurm, partition gpu, nodes n[1-2]" in (done.root / "report.html").read_text("utf-8")


def test_elsewhere_there_is_nothing_of_it(app: App) -> None:
    """No column without a batch system."""
    app.write("return 1", CALLBACKS)
    done = app.run("-m", "x=1,2", **dict.fromkeys(SLURM, ""))
    assert "batch" not in (done.root / "results.csv").read_text("utf-8")
    assert json.loads((done.root / "provenance.json").read_text("utf-8"))["batch"] is None
    assert "batch system" not in (done.root / "report.html").read_text("utf-8")
