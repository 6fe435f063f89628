"""A job that uses up all file descriptors still ends on record, and no descriptor of its own is closed."""

import os
from pathlib import Path

import pytest
from apps import App

from hydra_callback_kit.journal import reserve

EVERYTHING_OPEN = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
opened = []
try:
    while True:
        opened.append(open("/dev/null"))
except OSError:
    pass
main.opened = opened
if cfg.x:
    raise ValueError("boom")
return len(opened)
"""
CONFIG = "defaults: [{callbacks: [logging_callback]}, _self_]\nx: 0"


@pytest.mark.parametrize("x", [0, 1])
def test_a_job_that_opens_all_there_is(app: App, x: int) -> None:
    """It ends as without us, and its end and what it returned or raised are on record."""
    app.write(EVERYTHING_OPEN, CONFIG)
    done = app.run(f"x={x}")
    assert done.code == x
    (journal,) = (done.root / ".callbacks").iterdir()
    ended = [line for line in journal.read_text("utf-8").splitlines() if '"job_ended"' in line]
    assert len(ended) == 1
    assert ("boom" if x else '"return_value":') in ended[0]


def test_the_apps_own_file_is_not_closed(tmp_path: Path) -> None:
    """The app may have closed everything, and have our number for a file of its own; then there is no reserve."""
    reserve.keep()
    assert reserve._kept is not None
    number, _ = reserve._kept
    own = os.open(tmp_path / "own", os.O_CREAT | os.O_RDWR)
    os.dup2(own, number)
    assert not reserve.give()
    assert os.fstat(number).st_ino == os.fstat(own).st_ino
    os.close(own)
    os.close(number)
    reserve.keep()
    assert reserve.give()
    assert not reserve.give()


def test_a_reserve_that_was_closed_is_taken_anew() -> None:
    """As by an app that becomes a daemon."""
    reserve.keep()
    assert reserve._kept is not None
    os.close(reserve._kept[0])
    reserve.keep()
    assert reserve.give()
