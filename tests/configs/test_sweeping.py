"""Which keys the jobs of a sweep may differ in."""

from pathlib import Path
from typing import Any

import pytest
from hook_calls import config_of
from omegaconf import OmegaConf

from hydra_callback_kit.configs.sweeping import may_differ

APP = {
    "x": 0,
    "db": {"host": "a", "port": 1, "url": "${.host}:${db.port}", "up": "${..x}"},
    "copy": "${x}",
    "copied": "${copy}",
    "node": "${db}",
    "list": ["${x}", 2],
    "loop": "${loop}",
}


@pytest.mark.parametrize(
    ("swept", "key", "expected"),
    [
        ("x=1,2", "x", True),
        ("x=1", "x", False),
        ("+x=range(3)", "x", True),
        ("x=1,2", "xy", False),
        ("db.host=a,b", "db", True),
        ("db=a,b", "db.host", True),
        ("db/engine=a,b", "db.engine.name", True),
        ("engine@db.main=a,b", "db.main.name", True),
        ("engine@db.main=a,b", "engine.name", False),
        ("db.host=a,b", "db.url", True),
        ("db.port=1,2", "db.url", True),
        ("x=1,2", "db.url", False),
        ("x=1,2", "db.up", True),
        ("x=1,2", "copied", True),
        ("db.host=a,b", "node.host", True),
        ("x=1,2", "list[0]", True),
        ("x=1,2", "list.1", False),
        ("x=1,2", "loop", False),
        ("x=1,2", "nowhere.at.all", False),
        ("x=1", "hydra.job.num", True),
        ("what=[", "x", False),
    ],
)
def test_a_key_may_differ(tmp_path: Path, swept: str, key: str, expected: bool) -> None:
    """The key itself, a part of it, what it lies in, what it is interpolated from, and what is still to come."""
    run = config_of(tmp_path, APP, "MULTIRUN")
    run.hydra.overrides.task = [swept, "other=1"]
    assert may_differ(run, key) is expected


@pytest.mark.parametrize("params", [{"x": "1,2"}, {"x": "1"}, {"+x": "1,2"}])
def test_the_sweepers_params_are_swept(tmp_path: Path, params: dict[str, Any]) -> None:
    """They hold for the jobs alone, so even a single value differs from the base config."""
    run = config_of(tmp_path, APP, "MULTIRUN")
    run.hydra.sweeper.params = params
    assert may_differ(run, "x")
    assert not may_differ(run, "db.host")


def test_a_config_without_hydras_node() -> None:
    """Nothing is swept there."""
    assert not may_differ(OmegaConf.create({"x": 1}), "x")
