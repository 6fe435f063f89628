"""Trials that Optuna's searches prune, directions, and how many trials there will be: run with `-m optuna`."""

import re

import pytest
from apps import App
from terminal import cli

from hydra_callback_kit import load_run

pytestmark = pytest.mark.optuna

CONFIG = """
defaults:
  - callbacks: [failure_limit_callback, retry_callback, logging_callback, performance_callback, report_callback,
      results_aggregator_callback, progress_callback]
  - override hydra/sweeper: optuna
  - _self_
x: 0
hydra:
  callbacks:
    failure_limit_callback: {max_failures: 2}
    progress_callback: {interval_s: 0.2}
    report_callback: {plotly_js: directory}
  sweeper:
    n_trials: 6
    n_jobs: 2
    max_failure_rate: 1.0
    sampler: {seed: 1}
    params: {x: 'range(0, 9)'}
"""
BODY = """
import optuna
from hydra.core.hydra_config import HydraConfig
class Ours(optuna.TrialPruned): pass
num = HydraConfig.get().job.num
open("ran", "a").write(str(num))
if num in (1, 2, 4):
    raise Ours("not promising") if num == 4 else optuna.TrialPruned("not promising")
if num == 5 and os.environ.get("FAIL"):
    raise ValueError("boom")
return float(cfg.x)
"""


def test_pruned_trials_are_called_so_everywhere(app: App) -> None:
    """FAILED on record with a fact; in no limit, not run again; in words, tables, the report and files they are pruned."""
    app.write(BODY, CONFIG)
    done = app.run("-m")
    assert done.code == 0, done.stderr
    assert (app.directory / "ran").read_text() == "012345"
    run = load_run(done.root)
    assert run.status == "COMPLETED"
    assert [job.status == "FAILED" for job in run.jobs] == [job.pruned for job in run.jobs]
    assert [job.job_num for job in run.jobs if job.pruned] == [1, 2, 4]
    assert [job.facts.get("pruned") for job in run.jobs] == [None, True, True, None, True, None]
    assert [row["pruned"] for row in run.rows()] == [None, True, True, None, True, None]
    said = done.stdout + done.stderr
    assert "3 completed, 3 pruned" in said
    assert re.search(r"Job 1 was pruned after .* ms", said)
    assert "Job 1 (x=" in said
    assert "was pruned, and is not started again" in said
    assert "Job 1 FAILED" not in said
    assert "app: 6/6 jobs done, 3 pruned, in" in said
    assert done.json("performance.json")["jobs_pruned"] == 3
    shown = cli("show", done.root)
    assert "sweep COMPLETED: 3 completed, 3 pruned" in shown.out
    assert [line[1] for line in shown.words() if line[0].isdecimal()].count("PRUNED") == 3
    assert cli("show", done.root, "--json").json()["jobs_pruned"] == 3
    failed = cli("failed", done.root)
    assert failed.out == "jobs 1-2, 4 were PRUNED\n"
    again = cli("rerun", done.root, cwd=app.directory)
    assert again.code == 1
    assert "3 completed, 3 pruned" in again.err
    page = (done.root / "report.html").read_text("utf-8")
    assert "3 pruned" in page
    assert '"status":"CPPCPC"' in page.replace(" ", "")
    assert "badge pruned" in page


def test_what_fails_beside_them_has_failed(app: App) -> None:
    """It is named, run again and counted; a search that gave up did not complete, and its exit code is the sweeper's."""
    app.write(BODY, CONFIG)
    done = app.run("-m", FAIL="1")
    assert done.code == 0
    run = load_run(done.root)
    assert run.status == "FAILED"
    failed = cli("failed", done.root).out
    assert failed.startswith("job 5 FAILED")
    assert "jobs 1-2, 4 were PRUNED" in failed
    again = cli("rerun", done.root, cwd=app.directory)
    assert again.out.count("hydra.job.num=") == 1
    assert "Left out: 3 that were pruned." in again.err
    gave_up = app.run("-m", "hydra.sweeper.max_failure_rate=0.0", "hydra.sweep.dir=second")
    assert gave_up.code == 1
    assert load_run(app.directory / "second").status == "FAILED"


def test_the_bar_knows_how_many_trials_there_will_be(app: App) -> None:
    """And how many are left where a search goes on."""
    app.write("time.sleep(0.3)\nreturn float(cfg.x)", CONFIG)
    done = app.run("-m", "hydra.sweeper.n_jobs=1")
    assert done.code == 0
    said = re.findall(r"app: (\d)/6 jobs done, 1 running, .* left", done.stderr)
    assert said, done.stderr
    assert load_run(done.root).facts["expected_jobs"] == 6


@pytest.mark.parametrize(("directions", "best"), [("minimize", "min"), ("maximize", "max")])
def test_the_direction_reaches_every_ranking(app: App, directions: str, best: str) -> None:
    """Nobody has to say it again."""
    app.write("return float(cfg.x)", CONFIG)
    done = app.run(
        "-m", f"hydra.sweeper.direction={directions}", "hydra.callbacks.results_aggregator_callback.sort_by=return_value"
    )
    assert done.code == 0, done.stderr
    run = load_run(done.root)
    wanted = (min if best == "min" else max)(job.return_value for job in run.jobs)
    assert run.best("return_value").return_value == wanted
    assert done.json("best.json")["return_value"] == wanted
    assert f"Best jobs by return_value ({best})" in done.stdout
    assert f"return_value {wanted:g} ({best})" in cli("show", done.root).out
    assert f"({best})" in cli("best", done.root).out
    first = next(line for line in cli("show", done.root, "--sort-by", "return_value").words() if line[0].isdecimal())
    assert float(first[-1]) == wanted
    assert f'"mode":"{best}"' in (done.root / "report.html").read_text("utf-8").replace(" ", "")


def test_several_directions_reach_every_ranking(app: App) -> None:
    """Each objective has its own, and the front is by both."""
    app.write("return float(cfg.x), float(cfg.x)", CONFIG)
    done = app.run("-m", "hydra.sweeper.direction=[minimize,maximize]")
    assert done.code == 0, done.stderr
    run = load_run(done.root)
    values = [job.return_value[0] for job in run.jobs]
    assert run.best("return_value.0").return_value[0] == min(values)
    assert run.best("return_value.1").return_value[1] == max(values)
    front = cli("best", done.root).out
    assert "that no other beats in all objectives" in front
    assert "return_value.0 (min)  return_value.1 (max)" in front
    assert "that no other beats in all objectives" in cli("show", done.root).out
