"""Under a Ray cluster whose second node does not share the sweep's disk: run with `-m raylets`, as root."""

import csv
import re
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from apps import App, Finished
from click.testing import CliRunner
from raylets import ENVIRONMENT, TwoNodes, two_nodes

from hydra_callback_kit import load_run
from hydra_callback_kit.cli.main import main
from hydra_callback_kit.views.kept_best import deleted_in

pytestmark = pytest.mark.raylets

CONFIG = """
defaults:
  - callbacks:
      - standard_callbacks
      - resource_monitor_callback
      - report_callback
      - output_guard_callback
      - progress_callback
      - failure_limit_callback
  - _self_
x: 0
lr: 0.1
hydra:
  callbacks:
    failure_limit_callback: {max_failures: 2}
    results_aggregator_callback: {output_file: [results.json, results.csv]}
"""
ELSEWHERE = """
from hydra_callback_kit import add_job_facts
elsewhere = os.path.ismount(PLACE)
"""


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the second node has an empty disk."""
    return tmp_path_factory.mktemp("hidden")


@pytest.fixture(scope="module")
def nodes(hidden: Path) -> Iterator[TwoNodes]:
    """The cluster."""
    with two_nodes(hidden) as nodes:
        yield nodes


@pytest.fixture
def app(hidden: Path, request: pytest.FixtureRequest) -> App:
    """An app in a directory that the second node does not see."""
    directory = hidden / request.node.name
    directory.mkdir()
    return App(directory)


def _sweep(app: App, nodes: TwoNodes, body: str, *arguments: str) -> Finished:
    app.write(f"elsewhere = os.path.ismount({str(app.directory.parent)!r})\n{body}", CONFIG, _FACTS)
    root = f"hydra.sweep.dir={app.directory / 'out'}"  # a relative one is below wherever a worker happens to be
    return app.run("-m", *nodes.arguments, *arguments, root, timeout_s=240, **ENVIRONMENT)


_FACTS = "from hydra_callback_kit import add_job_facts"

_WORK = """
add_job_facts({"elsewhere": elsewhere, "curve": [1, 2]})
time.sleep(1)
if cfg.x == 4:
    raise ValueError("boom")
return {"loss": cfg.x / 2}
"""


@pytest.mark.in_ci
def test_the_record_is_whole(app: App, nodes: TwoNodes) -> None:
    """Of each job, wherever it ran: value, facts, config, resources, error; in all that people look at."""
    done = _sweep(app, nodes, _WORK, "x=0,1,2,3,4,5")
    assert done.code == 1
    run = load_run(done.root)
    assert [job.status for job in run.jobs] == [*["COMPLETED"] * 4, "FAILED", "COMPLETED"]
    far = [job for job in run.jobs if job.facts["elsewhere"]]
    assert 0 < len(far) < len(run.jobs)
    for job in run.jobs:
        assert (job.output_dir.is_dir(), job.facts["curve"], job.overrides) == (job not in far, [1, 2], {"x": job.job_num})
        assert job.facts["config"] == {"x": job.job_num, "lr": 0.1}
        assert job.facts["resources"]["peak_memory_bytes"] > 0
        assert job.duration_s > 0.9
        assert job.return_value == (None if job.job_num == 4 else {"loss": job.job_num / 2})
    assert run.jobs[4].error.headline == "ValueError: boom"
    with (done.root / "results.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [(row["x"], row["return_value.loss"]) for row in rows if row["job_num"] != "4"] == [
        (str(num), str(num / 2)) for num in (0, 1, 2, 3, 5)
    ]
    assert [row["job_num"] for row in done.json("results.json")] == [*range(6)]
    assert "loss" in (done.root / "report.html").read_text()
    assert f"where their files are: {len(far)}" in done.stderr + done.stdout
    said = (done.stderr + done.stdout).count("This process does not share the directory of the sweep")
    assert said in (1, 2)  # once, by the worker; Ray may print it twice
    shown = CliRunner().invoke(main, ["show", str(done.root)])
    assert "5 completed, 1 failed\n" in shown.output


_LOST = """
if elsewhere and not os.path.exists(FLAG):
    open(FLAG, "w").close()
    time.sleep(6)  # the launcher asks for one result after another: what runs when one is lost is stopped
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(1)
return cfg.x
"""


def test_what_does_not_come_home_is_not_taken_for_not_started(app: App, nodes: TwoNodes) -> None:
    """One job is killed where nobody sees it; the others are there, although the launcher's `launch` raises."""
    flag = app.directory.parent / "killed"
    done = _sweep(
        app, nodes, _LOST.replace("FLAG", repr(str(flag))), "x=0,1,2,3", "+hydra.launcher.ray.remote.max_retries=0"
    )
    assert done.code == 1
    run = load_run(done.root)
    (lost,) = {0, 1, 2, 3} - {job.job_num for job in run.jobs}
    assert "3 completed, 1 left no record here (in " in done.stdout + done.stderr
    assert f"job {lost} left no record here: x={lost}" in done.stdout + done.stderr
    assert (run.status, len(run.launched)) == ("INTERRUPTED", 4)
    invoke = CliRunner().invoke
    failed = invoke(main, ["failed", str(done.root)])
    assert failed.output.startswith(f"job {lost} left no record here: x={lost}\n")
    assert "1 that left no record here; --missing includes them" in invoke(main, ["rerun", str(done.root)]).output
    assert f" x={lost} " in invoke(main, ["rerun", str(done.root), "--missing"]).output
    for file in nodes.on_second(done.root / ".callbacks").iterdir():
        shutil.copy(file, done.root / ".callbacks")
    assert {job.job_num: job.status for job in load_run(done.root).jobs}[lost] == "INTERRUPTED"


def test_checkpoints_are_deleted_where_they_are(app: App, nodes: TwoNodes) -> None:
    """By the jobs that each machine knows; what is worse than the best and was deleted nowhere is named at the end."""
    leaves = """
    from pathlib import Path
    from hydra.core.hydra_config import HydraConfig
    Path(HydraConfig.get().runtime.output_dir, "model.ckpt").touch()
    """
    kept = "hydra.callbacks.keep_best_callback"
    on = (f"+callbacks@{kept}=keep_best_callback", f"{kept}.metric=loss", f"{kept}.keep=1", "x=0,1,2,3,5,6,7,8")
    done = _sweep(app, nodes, textwrap.dedent(leaves) + _WORK, *on)
    assert done.code == 0, done.stderr
    deleted = set(deleted_in(load_run(done.root).facts))
    named = re.search("What jobs? ([-0-9, ]+) left is not on this machine", done.stdout)
    ranges = [each.partition("-") for each in named[1].split(", ")] if named else []
    elsewhere = {num for first, _, last in ranges for num in range(int(first), int(last or first) + 1)}
    assert deleted | elsewhere == set(range(1, 8))
    assert not deleted & elsewhere
    assert not (app.directory / "out" / "0").exists() or (app.directory / "out" / "0" / "model.ckpt").exists()
