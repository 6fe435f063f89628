"""End to end: the same command again, after a sweep was stopped, runs what is left of it."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections import Counter

import pytest
from apps import LAUNCHERS, ON_LAUNCHER, App, Finished

from hydra_callback_kit import load_run
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord

CONFIG = """
defaults:
  - callbacks: [standard_callbacks, output_guard_callback, resume_callback]
  - _self_
x: 0
y: 0
device: cpu
model: {name: net, width: 64}
"""
RAN = """
def ran(what):
    with open("ran", "a") as log:
        log.write(f"{what}\\n")
"""
PARENT_DIES = """
if cfg.x == 12 and not os.path.exists("again"):
    os.kill(int(open("parent").read()), signal.SIGKILL)
    os._exit(9)
ran(cfg.x)
return cfg.x * 2
"""
NOTES_ITSELF = (
    RAN
    + """
from hydra.experimental.callback import Callback

class Notes(Callback):
    def on_multirun_start(self, config, **kwargs):
        open("parent", "w").write(str(os.getpid()))
"""
)
NOTES = "hydra:\n  callbacks:\n    notes: {_target_: __main__.Notes}\n"
TWENTY = "x=" + ",".join(map(str, range(20)))


def ran(app: App) -> Counter[str]:
    """How often each job ran to its end so far."""
    log = app.directory / "ran"
    return Counter(log.read_text("utf-8").split()) if log.exists() else Counter()


def again(app: App, launcher: str, *arguments: str, **environment: str) -> Finished:
    """The same command again; from now on nothing dies."""
    (app.directory / "again").touch()
    return app.sweep(launcher, *arguments, **environment)


def is_whole(run: RunRecord, count: int) -> bool:
    """Whether a sweep has so many jobs, which have completed all."""
    return (run.status, run.planned_jobs, run.count("COMPLETED"), len(run.jobs)) == ("COMPLETED", count, count, count)


def killed(app: App, launcher: str, *arguments: str) -> None:
    """Starts a sweep whose parent is killed, and waits until what outlives it has ended too."""
    command = app.command("-m", *ON_LAUNCHER[launcher], *arguments)
    with (app.directory / "said").open("w") as said:
        process = subprocess.Popen(
            command, cwd=app.directory, env=app.environment(), stdout=said, stderr=said, start_new_session=True
        )
        assert process.wait(120) == -signal.SIGKILL
    if launcher == "joblib":  # its workers go on with what they were given
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    until_s = time.monotonic() + 60
    while read_run(app.directory / "out").status == "RUNNING":
        assert time.monotonic() < until_s
        time.sleep(0.2)


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_parent_is_killed(app: App, launcher: str) -> None:
    """In the middle of 20 jobs: the same command runs the others, each once, and the record is one sweep."""
    app.write(PARENT_DIES, CONFIG + NOTES, NOTES_ITSELF)
    killed(app, launcher, TWENTY)
    before, run_id = ran(app), load_run(app.directory / "out").run_id
    assert before
    assert "12" not in before
    done = again(app, launcher, TWENTY)
    assert done.code == 0, done.stderr + done.stdout
    run = load_run(done.root)
    assert is_whole(run, 20)
    assert run.run_id == run_id
    assert [job.return_value for job in run.jobs] == [2 * num for num in range(20)]
    assert ran(app) == Counter(map(str, range(20)))
    assert [job["status"] for job in done.json("results.json")] == ["COMPLETED"] * 20
    assert f"launcher: {launcher}" in (done.root / "multirun.yaml").read_text("utf-8")
    assert re.search(r"The sweep goes on: \d+ of 20 jobs are not run again", done.stdout)
    assert "holds this sweep, which goes on there" in done.stdout
