"""The fixtures that all tests share."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from apps import MOST_LAUNCHERS, App
from faults.matrix import pytest_terminal_summary
from hypothesis import HealthCheck, Phase, settings
from journals import Fresh

from hydra_callback_kit.hooks import running_jobs
from hydra_callback_kit.journal import writer

__all__ = ["pytest_terminal_summary"]  # a plugin's hook, which pytest finds here in every one of its processes


# a change that has nothing to do with a property must not make it fail: CI tries the same examples each time, the nightly
# run looks for new ones
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs in the background, and all below it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "ci", max_examples=100, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("compatibility", settings.get_profile("ci"), max_examples=40)  # on another Python or Hydra
settings.register_profile(  # any example kills a mutant, it need not be the smallest
    "mutation", settings.get_profile("ci"), max_examples=30, phases=[Phase.explicit, Phase.generate]
)
settings.register_profile("nightly", settings.get_profile("ci"), max_examples=10_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A worker that has nothing left to do takes from another, else some wait minutes for the last one's tests."""
    from xdist.scheduler import WorkStealingScheduling  # noqa: PLC0415  with `-n` it is there

    return WorkStealingScheduling(config, log) if config.getvalue("dist") == "load" else None


@pytest.fixture(autouse=True)
def _no_job_of_another_test_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that calls hooks by hand may leave a job that never ends."""
    monkeypatch.setattr(running_jobs, "_jobs", [])


@pytest.fixture
def app(tmp_path: Path) -> App:
    """A Hydra app in an empty directory; write it first."""
    return App(tmp_path)


@pytest.fixture(params=MOST_LAUNCHERS)
def launcher(request: pytest.FixtureRequest) -> str:
    """Each launcher in turn, submitit in the night; a test of how workers come and go has LAUNCHERS as its parameters."""
    return request.param


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """Makes empty directories."""
    base = tmp_path_factory.mktemp("fresh")

    def made(name: str) -> Path:
        shutil.rmtree(base / name, ignore_errors=True)
        writer._files.clear()  # a directory of the same name was another one
        (base / name).mkdir()
        return base / name

    return made
