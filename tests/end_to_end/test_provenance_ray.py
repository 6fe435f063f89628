"""End to end under Ray: run with `-m ray`, in an environment that has the extra `ray`."""

from pathlib import Path

import pytest
from apps import App
from repositories import Repository

pytestmark = pytest.mark.ray

CONFIG = "defaults:\n- callbacks: [provenance_callback, latest_run_callback]\n- _self_\nx: 0\n"
ON_RAY = ["hydra/launcher=ray", "+hydra.launcher.ray.init.num_cpus=2", "+hydra.launcher.ray.init.include_dashboard=false"]


def test_the_files_are_written_once_and_a_dirty_work_tree_starts_no_job(app: App) -> None:
    """Provenance and link at the sweep's root only; with require_clean a changed file stops the sweep in the parent."""
    app.write('print("job ran", flush=True)\nreturn cfg.x', CONFIG)
    repository = Repository.made(app.directory)
    commit = repository.commit(**{".gitignore": "out\nlatest\n__pycache__\n"})
    done = app.run("-m", *ON_RAY, "x=0,1", timeout_s=240)
    assert done.code == 0, done.stderr
    assert done.json("provenance.json")["git"]["commit"] == commit
    assert list(app.directory.rglob("provenance.json")) == [done.root / "provenance.json"]
    assert list(app.directory.rglob("config_resolved.yaml")) == [done.root / "config_resolved.yaml"]
    assert (app.directory / "latest").readlink() == Path("out")
    repository.write("config.yaml", CONFIG + "y: 1\n")
    require = "hydra.callbacks.provenance_callback.require_clean=true"
    done = app.run("-m", *ON_RAY, "x=0,1", require, "hydra.sweep.dir=another", timeout_s=240)
    assert done.code == 1
    assert "config.yaml" in done.stderr
    assert "job ran" not in done.stdout
    assert [entry.name for entry in (app.directory / "another").iterdir()] == [".callbacks"]
