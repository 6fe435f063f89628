"""The fixtures that all tests share."""

from pathlib import Path

import pytest
from apps import LAUNCHERS, App


@pytest.fixture
def app(tmp_path: Path) -> App:
    """A Hydra app in an empty directory; write it first."""
    return App(tmp_path)


@pytest.fixture(params=LAUNCHERS)
def launcher(request: pytest.FixtureRequest) -> str:
    """Each launcher in turn."""
    return request.param
