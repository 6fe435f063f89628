"""The same command again goes on under Ray: run with `-m ray`."""

import signal
import subprocess
import time

import pytest
from apps import ON_LAUNCHER, App

from hydra_callback_kit import load_run

pytestmark = pytest.mark.ray

CONFIG = """
defaults:
  - callbacks: [results_aggregator_callback, output_guard_callback, resume_callback]
  - _self_
x: 0
home: ${hydra:runtime.cwd}
"""
TASK = """
if cfg.x == 3 and not os.path.exists(f"{cfg.home}/again"):
    os.kill(int(os.environ["KILLED"]) if "KILLED" in os.environ else os.getpid(), signal.SIGKILL)
with open(f"{cfg.home}/ran", "a") as log:
    log.write(f"{cfg.x}\\n")
return cfg.x
"""


def test_a_worker_is_killed_and_then_the_parent(app: App) -> None:
    """What had completed is not run again, and all is one table."""
    app.write(TASK, CONFIG)
    command = ("-m", *ON_LAUNCHER["ray"], "x=range(0,6)")
    assert app.run(*command, timeout_s=240).code != 0
    done = {job.job_num for job in load_run(app.directory / "out").jobs if job.status == "COMPLETED"}
    assert done
    process = subprocess.Popen(
        app.command(*command), cwd=app.directory, env=app.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(8)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done |= {job.job_num for job in load_run(app.directory / "out").jobs if job.status == "COMPLETED"}
    time.sleep(5)
    (app.directory / "again").touch()
    last = app.run(*command, timeout_s=240)
    assert last.code == 0, last.stderr + last.stdout
    run = load_run(app.directory / "out")
    assert (run.status, run.count("COMPLETED"), len(run.jobs)) == ("COMPLETED", 6, 6)
    ran = (app.directory / "ran").read_text("utf-8").split()
    assert all(ran.count(str(num)) == 1 for num in done)
