"""All that stands around a job, on at once: a sweep under joblib with a job that fails and one that is killed."""

import contextlib
import re
import socket
from pathlib import Path

import pytest
from apps import App
from message_servers import http_server
from terminal import cli

from hydra_callback_kit import load_run

CONFIG = """
defaults:
  - callbacks: [output_capture_callback, notification_callback, upload_callback, keep_best_callback, profiler_callback]
  - _self_
x: 0
hydra:
  callbacks:
    notification_callback:
      urls: ${oc.env:NOTIFY_URL}
      timeout_s: 2
    upload_callback:
      to: ${oc.env:UPLOAD_TO}
      timeout_s: 20
    keep_best_callback: {metric: accuracy, keep: 1}
    profiler_callback: {jobs: all}
"""
PREAMBLE = """
import subprocess
from pathlib import Path
from hydra.core.hydra_config import HydraConfig

def worked_hard():
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
"""
BODY = """
here = Path(HydraConfig.get().runtime.output_dir)
print("job", cfg.x, "speaks", flush=True)
subprocess.run(["sh", "-c", f"echo its child {cfg.x} too"], check=True)
(here / "model.ckpt").touch()
worked_hard()
if cfg.x == 1:
    raise ValueError("boom")
if cfg.x == 2:
    while not all((here.parent / str(num) / "results").exists() for num in (0, 3, 4)):
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGKILL)
(here / "results").touch()
return {"accuracy": cfg.x}
"""
SWEEP = ("-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "x=0,1,2,3,4")
ENDED, FAILED, KILLED = (0, 3, 4), 1, 2


def what_each_promises(root: Path) -> None:
    """The output of all jobs, the profile of those that ended, one checkpoint of those that completed."""
    for num in (*ENDED, FAILED, KILLED):
        written = (root / str(num) / "output.log").read_text("utf-8").splitlines()
        assert f"job {num} speaks" in written
        assert f"its child {num} too" in written
        assert (root / str(num) / "profile.html").exists() == (num != KILLED)
    assert "worked_hard" in (root / "4" / "profile.txt").read_text("utf-8")
    assert "worked_hard" in (root / str(FAILED) / "profile.txt").read_text("utf-8")
    kept = {int(file.parent.name) for file in root.rglob("model.ckpt")}
    assert kept == {4, FAILED, KILLED}
    run = load_run(root)
    assert [job.status for job in run.jobs] == ["COMPLETED", "FAILED", "INTERRUPTED", "COMPLETED", "COMPLETED"]
    said = cli("failed", root, "--traceback").out
    assert f"its child {FAILED} too" in said
    assert f"its child {KILLED} too" in said


@pytest.mark.parametrize("detached", [False, True])
def test_each_leaves_what_it_promises(app: App, detached: bool) -> None:
    """Also without a terminal; what was sent elsewhere reads as what is here."""
    app.write(BODY, CONFIG.replace("[output", "[detach_callback, output") if detached else CONFIG, PREAMBLE)
    there = app.directory / "there"
    with http_server() as inbox:
        servers = {"NOTIFY_URL": f"json://127.0.0.1:{inbox.port}/token?a=b", "UPLOAD_TO": there.as_uri()}
        done = app.run(*SWEEP, **servers)
        assert done.code == (0 if detached else 1)
        root = app.directory / "out"
        if detached:
            assert cli("attach", root).code == 1
        app.wait_for_what_outlives()
        assert inbox.titles[-1] == "app: sweep FAILED: 3 completed, 1 failed, 1 interrupted"
    what_each_promises(root)
    (sent,) = there.iterdir()
    copy = load_run(sent.as_uri())
    here = load_run(root)
    assert [(job.job_num, job.status, job.return_value) for job in copy.jobs] == [
        (job.job_num, job.status, job.return_value) for job in here.jobs
    ]
    for num in (*ENDED, FAILED, KILLED):
        for name in ("output.log", ".hydra/config.yaml"):
            assert (sent / str(num) / name).read_bytes() == (root / str(num) / name).read_bytes()
    assert not list(sent.rglob("*.ckpt"))
    assert not [file for file in root.rglob("*") if file.is_file() and b"/token" in file.read_bytes()]


def test_nobody_is_there(app: App) -> None:
    """A server that never answers is asked twice at most, while the sweep runs and at its end; nothing else is lost."""
    app.write(BODY, CONFIG, PREAMBLE)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        servers = {"NOTIFY_URL": f"json://127.0.0.1:{silent.getsockname()[1]}", "UPLOAD_TO": "file:///dev/null/there"}
        done = app.run(*SWEEP, **servers)
        silent.settimeout(0)
        tries = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                silent.accept()[0].close()
                tries += 1
    assert done.code == 1
    assert 1 <= tries <= 2
    what_each_promises(app.directory / "out")
    warnings = [line for line in done.stdout.splitlines() if " Warning: " in line]
    assert sum("The upload failed" in line for line in warnings) == 1
    assert 1 <= sum("notify-test" in line for line in warnings) <= tries
    assert sum(f"no profile of job {KILLED}" in line for line in warnings) == 1
    assert not [line for line in warnings if not re.search(r"The upload failed|notify-test|no profile", line)]
