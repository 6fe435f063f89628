"""On a Ray of two nodes, of which one does not see the sweep's directory: the record is whole, and nothing is run twice."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from apps import App
from engines.sweeping import Sweep
from raylets import ENVIRONMENT, TwoNodes, two_nodes

from hydra_callback_kit import load_run

pytestmark = pytest.mark.raylets


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the second node has an empty disk."""
    return tmp_path_factory.mktemp("hidden")


@pytest.fixture(scope="module")
def nodes(hidden: Path) -> Iterator[TwoNodes]:
    """The cluster."""
    with two_nodes(hidden) as started:
        yield started


@contextmanager
def _swept(hidden: Path, nodes: TwoNodes, scene: Path) -> Iterator[Sweep]:
    """A sweep in a directory that the second node does not see, whose jobs say which node they are on."""
    directory = hidden / scene.name
    directory.mkdir()
    root = f"hydra.sweep.dir={directory / 'out'}"  # a relative one is below wherever a worker happens to be
    made = Sweep(App(directory), (*nodes.arguments, root), scene=scene, environment=ENVIRONMENT)
    made.write(preamble=f"def where():\n    return 'far' if os.path.ismount({str(hidden)!r}) else 'near'\n")
    yield made
    made.go()
    if made.process is not None and made.process.poll() is None:
        made.kill()


@pytest.fixture
def sweep(hidden: Path, nodes: TwoNodes, tmp_path: Path) -> Iterator[Sweep]:
    """A sweep on the cluster."""
    with _swept(hidden, nodes, tmp_path) as made:
        yield made


def test_twelve_jobs_with_everything_on(sweep: Sweep) -> None:
    """One runs here, one where nobody sees it, and the others wait; at the end all files tell all."""
    sweep.start("x=range(12)")
    assert {sweep.begun(0).host, sweep.begun(1).host} == {"near", "far"}
    assert set(sweep.statuses().values()) == {"RUNNING"}
    sweep.nothing_is_run_twice()
    sweep.go()
    assert sweep.ended() == 0, sweep.said()
    done = dict.fromkeys(range(12), "COMPLETED")
    assert sweep.statuses() == sweep.tells() == sweep.tells("performance.json") == done
    rows = json.loads((sweep.root / "results.json").read_text())
    assert [row["return_value"] for row in rows] == [{"double": 2 * x} for x in range(12)]
    assert all(row["overrides"] == {"x": row["job_num"]} and row["facts"]["resources"]["samples"] >= 1 for row in rows)
    assert [job.facts["config"]["x"] for job in load_run(sweep.root).jobs] == [*range(12)]
    assert "Please report this as a bug" not in sweep.said()
    sweep.nothing_is_run_twice()


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGKILL"])
def test_the_sweeps_process_ends_and_its_jobs_with_it(sweep: Sweep, how: str) -> None:
    """Ray ends the jobs of a sweep that is gone: what has left no record here is told, and is one of those to run again."""
    sweep.start("x=0,1,2")
    begun = {sweep.begun(x).host: (x, sweep.begun(x).pid) for x in range(2)}
    near, far = begun["near"][0], begun["far"][0]
    sweep.interrupt() if how == "Ctrl-C" else sweep.kill()
    sweep.until(lambda: not any(_lives(pid) for _, pid in begun.values()), "Ray to end the jobs")
    assert sweep.statuses() == {near: "INTERRUPTED"}
    assert sweep.shown()["status"] == "INTERRUPTED"
    assert "left no record here" in sweep.command("show").output
    assert sweep.would_run_again() == [near]
    assert sorted(sweep.would_run_again("--missing")) == [*sorted((near, far)), 2]


def test_a_node_is_lost(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """Ray starts its job again elsewhere: it is one job, and it completes."""
    hidden = tmp_path_factory.mktemp("hidden")
    with two_nodes(hidden) as nodes, _swept(hidden, nodes, tmp_path) as sweep:
        sweep.start("x=0,1,2")
        far = next(x for x in range(2) if sweep.begun(x).host == "far")
        first = sweep.begun(far).pid
        second = psutil.Process(nodes.second)
        for process in [*second.children(recursive=True), second]:
            process.kill()
        sweep.until(lambda: not _lives(first), "the end of the job on the node")
        sweep.nothing_is_run_twice()
        sweep.go()
        assert sweep.ended() == 0, sweep.said()
        assert sweep.begun(far).host == "near"
        assert sweep.statuses() == sweep.tells() == dict.fromkeys(range(3), "COMPLETED")
        sweep.nothing_is_run_twice()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
