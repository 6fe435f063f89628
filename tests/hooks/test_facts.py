"""`add_job_facts` and `add_run_facts`: from a callback, from the task function, and where nobody records."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from apps import App
from hook_calls import config_of, job_of, returned
from omegaconf import OmegaConf

from hydra_callback_kit import FactError, RecordingCallback, add_job_facts, add_run_facts, load_run
from hydra_callback_kit.journal.reader import read_run

TASK = """
add_job_facts({"params": 12_000_000, "shape": {"rows": 3, "name": "wide"}})
add_run_facts({"data": "v2"})
add_job_facts({"params": 12_000_001})
if cfg.x == 1:
    raise ValueError("boom")
return {"loss": cfg.x / 2}
"""
IMPORT = "from hydra_callback_kit import add_job_facts, add_run_facts"
CONFIG = """
defaults:
  - callbacks: [results_aggregator_callback]
  - _self_
x: 0
hydra:
  callbacks:
    results_aggregator_callback: {output_file: [results.json, results.csv]}
"""


def test_the_task_function_adds_facts(app: App, launcher: str) -> None:
    """They are columns under every launcher, the last of a name counts, and those of a job that then failed are there."""
    app.write(TASK, CONFIG, IMPORT)
    done = app.sweep(launcher, "x=0,1")
    rows = done.json("results.json")
    assert [row["status"] for row in rows] == ["COMPLETED", "FAILED"]
    assert [row["facts"]["params"] for row in rows] == [12_000_001] * 2
    head, *lines = (done.root / "results.csv").read_text().splitlines()
    assert {"params", "shape.rows", "shape.name"} <= set(head.split(","))
    assert all("12000001,3,wide" in line for line in lines)
    run = load_run(done.root)
    assert run.facts["data"] == "v2"
    assert run.best("params").job_num == 0


def test_nothing_is_on(app: App) -> None:
    """The app runs as it would without the calls."""
    app.write(TASK, "x: 0", IMPORT)
    done = app.run()
    assert (done.code, done.stderr) == (0, "")
    assert not (done.root / ".callbacks").exists()


def test_a_task_function_under_test_pays_nothing() -> None:
    """Outside of a job nothing happens, and neither Hydra nor the journal is imported for it."""
    code = """
import sys
from hydra_callback_kit import add_job_facts, add_run_facts
add_job_facts({"params": 1})
add_run_facts({"params": 1})
print(*[name for name in sys.modules if name.split(".")[0] in ("hydra", "omegaconf") or ".journal." in name])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_cannot_be_a_fact_is_a_clear_error(tmp_path: Path) -> None:
    """Also where nobody records, so that a test of the task function finds it."""
    for wrong in (12, ["params"], {1: 2}, {"": 1}, {"status": "good"}, {"overrides": []}):
        with pytest.raises(FactError) as raised:
            add_job_facts(wrong)
        assert raised.value.given in (wrong, 1, "", "status", "overrides")
    with pytest.raises(FactError, match="leave it out"):
        add_job_facts({"a": 1}, OmegaConf.create({"x": 1}))
    with pytest.raises(FactError, match="leave it out"):
        add_run_facts({"a": 1}, OmegaConf.create({"x": 1}))
    run = config_of(tmp_path)
    run.hydra.runtime.output_dir = "???"
    with pytest.raises(FactError, match="on_job_start or on_job_end"):
        add_job_facts({"a": 1}, run)


def test_threads_of_a_job_mean_their_job(tmp_path: Path) -> None:
    """A thread that the job has started means it; where two jobs run in threads, each means its own."""
    run = config_of(tmp_path, mode="MULTIRUN")
    callback = RecordingCallback()
    callback.on_multirun_start(config=run)

    def in_a_thread(work: object) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    def job(num: int, inside: object = None) -> None:
        config = job_of(run, num=num, id=str(num))
        callback.on_job_start(config=config, task_function=len)
        if inside is not None:
            in_a_thread(inside)
        else:
            in_a_thread(lambda: add_job_facts({"from": "a thread"}))
        add_job_facts({"num": num})
        callback.on_job_end(config=config, job_return=returned())

    job(0)
    job(1, inside=lambda: job(2))
    add_job_facts({"after": "the job"})
    jobs = read_run(tmp_path).jobs
    assert [each.facts["num"] for each in jobs] == [0, 1, 2]
    assert jobs[0].facts["from"] == "a thread"
    assert all("after" not in each.facts for each in jobs)


@pytest.mark.parametrize("next_run", [False, True])
def test_a_job_whose_end_never_came_is_not_meant(tmp_path: Path, next_run: bool) -> None:
    """After Ctrl-C in a notebook Hydra 1.3 calls no end hook of the job; the next one's threads mean the next one."""
    run = config_of(tmp_path, mode="MULTIRUN")
    callback = RecordingCallback()
    callback.on_multirun_start(config=run)
    callback.on_job_start(config=job_of(run, num=0, id="0"), task_function=len)
    if next_run:
        callback.on_multirun_end(config=run)
        run = config_of(tmp_path / "next", mode="MULTIRUN")
        callback = RecordingCallback()
        callback.on_multirun_start(config=run)
    callback.on_job_start(config=job_of(run, num=1, id="1"), task_function=len)
    thread = threading.Thread(target=lambda: add_job_facts({"from": "a thread"}))
    thread.start()
    thread.join()
    assert read_run(tmp_path / "next" if next_run else tmp_path).jobs[-1].facts == {"from": "a thread"}


def test_many_facts_and_odd_names(tmp_path: Path) -> None:
    """More than a container of a return value may hold, and names that Python's own calls use."""
    run = config_of(tmp_path)
    callback = RecordingCallback()
    callback.on_run_start(config=run)
    callback.on_job_start(config=run, task_function=len)
    facts = {**{f"fact{number}": number for number in range(2_000)}, "run": 1, "job": 2, "event": 3, "facts": 4}
    add_job_facts(facts)
    callback.on_job_end(config=run, job_return=returned())
    assert read_run(tmp_path).jobs[0].facts == facts
