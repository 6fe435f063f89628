"""End to end: a sweep that died is looked at, finished and collected."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from apps import App
from cli import cli

from hydra_callback_kit.record.reader import read_run

CONFIG = """
defaults:
  - callbacks: [performance_callback]
  - _self_
x: 0
note: ""
db:
  password: none
"""
DIES_ONCE = """
if not os.path.exists("survive"):
    if cfg.x == 1:
        raise ValueError("boom")
    if cfg.x == 2:
        open("survive", "w").close()
        os.kill(PARENT, signal.SIGKILL)
        time.sleep(60)
return {"double": 2 * cfg.x, "loss": float("nan")}
"""
PARENT = "PARENT = int(os.environ.setdefault('PARENT', str(os.getpid())))"


def test_a_sweep_killed_half_way_is_finished(app: App) -> None:
    """SIGKILL under joblib: show tells the truth, rerun --missing --execute finishes the sweep, collect has the full table."""
    app.write(DIES_ONCE, CONFIG, PARENT)
    died = app.sweep("joblib", "hydra.launcher.n_jobs=1", "x=0,1,2,3,4", "note='a, \"b\" $c'")
    assert died.code == -signal.SIGKILL
