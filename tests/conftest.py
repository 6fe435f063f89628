"""The fixtures that all tests share."""

from pathlib import Path

import pytest
from apps import LAUNCHERS, App
from faults.matrix import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]  # a plugin's hook, which pytest finds here in every one of its processes


@pytest.fixture
def app(tmp_path: Path) -> App:
    """A Hydra app in an empty directory; write it first."""
    return App(tmp_path)


@pytest.fixture(params=LAUNCHERS)
def launcher(request: pytest.FixtureRequest) -> str:
    """Each launcher in turn."""
    return request.param
