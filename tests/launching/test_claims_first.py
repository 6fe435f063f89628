"""What travels to a worker claims a device before anything of the app's is unpickled, and nowhere else."""

import copy
import dataclasses
import functools
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from hydra.types import HydraContext

from hydra_callback_kit.devices.wanted import Wanted
from hydra_callback_kit.launching.claims_first import TaskAfterClaim, claims_first

WANTED = Wanted(("0", "1"), "GPUS_VISIBLE_DEVICES", None, 1)
APP = """
import os
SEEN = os.environ.get("GPUS_VISIBLE_DEVICES")

class Loader:
    pass

class Callbacks:
    def __init__(self):
        self.seen = None

    def __setstate__(self, state):
        self.seen = SEEN

def task(cfg):
    "Trains."
    return SEEN
"""
READS = """
import pickle, sys
read = pickle.load(sys.stdin.buffer)
import app, os
print(app.SEEN, os.environ.get("GPUS_VISIBLE_DEVICES"), type(read).__name__, getattr(read, "callbacks", read))
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of an app's, which looks at the variable as it is imported."""
    (tmp_path / "app.py").write_text(APP)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    monkeypatch.setenv("HYDRA_CALLBACK_KIT_DEVICE_CLAIMS", str(tmp_path / "claims"))
    import app  # noqa: PLC0415  it has just been written

    yield app
    sys.modules.pop("app", None)


def context_of(app: Any) -> HydraContext:
    """What Hydra hands over, with an app's own callbacks."""
    return HydraContext(config_loader=app.Loader(), callbacks=app.Callbacks())


def read_elsewhere(pickled: bytes, path: Path) -> list[str]:
    """What a worker finds: what the app's module has seen, what is set, and what it got."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(path), os.environ.get("PYTHONPATH", "")))}
    done = subprocess.run([sys.executable, "-c", READS], input=pickled, env=environment, capture_output=True, check=True)
    return done.stdout.decode().split(maxsplit=3)


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
def test_a_worker_claims_before_it_imports_the_app(app: Any, tmp_path: Path, dumps: Any) -> None:
    """It gets Hydra's own context, and the app's own function; here nothing is claimed."""
    seen, said, kind, _ = read_elsewhere(dumps(claims_first(context_of(app), WANTED)), tmp_path)
    assert (seen, said, kind) == ("0", "0", "HydraContext")
    seen, said, kind, what = read_elsewhere(dumps(TaskAfterClaim(app.task, WANTED)), tmp_path)
    assert (seen, said, kind) == ("0", "0", "function")
    assert what.startswith("<function task at")
    assert "GPUS_VISIBLE_DEVICES" not in os.environ


def _replaced(context: HydraContext) -> HydraContext:
    return dataclasses.replace(context, config_loader=None)


@pytest.mark.parametrize(
    "again",
    [
        copy.copy,
        copy.deepcopy,
        lambda it: pickle.loads(pickle.dumps(it)),
        lambda it: cloudpickle.loads(cloudpickle.dumps(it)),
    ],
)
def test_a_copy_here_claims_nothing_and_does_so_there(app: Any, tmp_path: Path, again: Any) -> None:
    """Whatever looks whether it can be pickled, or copies it, as other policies do."""
    context = again(claims_first(context_of(app), WANTED))
    task = again(TaskAfterClaim(app.task, WANTED))
    assert "GPUS_VISIBLE_DEVICES" not in os.environ
    assert not (tmp_path / "claims").exists()
    assert isinstance(context, HydraContext)
    assert task(None) is None
    assert read_elsewhere(pickle.dumps(context), tmp_path)[:3] == ["0", "0", "HydraContext"]
    assert read_elsewhere(pickle.dumps(_replaced(context)), tmp_path)[:2] == ["0", "0"]
    assert read_elsewhere(pickle.dumps(task), tmp_path)[:2] == ["0", "0"]


def test_the_task_function_looks_like_itself(app: Any) -> None:
    """Its name, its module, what it says of itself, and what is in it."""
    task = TaskAfterClaim(app.task, WANTED)
    assert (task.__name__, task.__module__, task.__doc__, task.__wrapped__) == ("task", "app", "Trains.", app.task)
    assert TaskAfterClaim(functools.partial(app.task), WANTED)(None) is None
