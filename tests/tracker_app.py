"""An app whose jobs a tracker is told of, and what is asked about it afterwards, for the tests of all trackers."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from apps import App, Finished

REPORTS = """
for step in range(3):
    report_metrics({"val/loss": cfg.x - step}, step=step * 10)
"""
ENDS = """
open(f"{cfg.done}-{cfg.x}", "w").close()
if cfg.x == 3:
    raise ValueError("boom")
if cfg.x == cfg.killed:
    while not all(os.path.exists(f"{cfg.done}-{x}") for x in range(cfg.killed)):
        time.sleep(0.1)
    time.sleep(3)
    os.kill(os.getpid(), signal.SIGKILL)
return {"final": cfg.x / 2, "deep": {"nan": float("nan"), "name": "x"}}
"""
"""How a job ends: job 3 fails, and one is killed, if any is to be, once all others have got as far as this."""

GOES_ON = """
if cfg.x == 1 and not os.path.exists(cfg.done):
    report_metrics(loss=10, step=0)
    open(cfg.done, "w").close()
    time.sleep(2)
    os.kill(os.getpid(), signal.SIGKILL)
report_metrics(loss=cfg.x, step=0)
return cfg.x
"""
"""A job that takes its process along when it runs for the first time, and begins again when it does for the second."""


def write(app: App, callbacks: str, body: str, *, preamble: str = "", more: str = "") -> None:
    """Writes an app.

    Args:
        app: its directory.
        callbacks: the options, with commas.
        body: what its task function does.
        preamble: what it imports besides, and other code before the task function.
        more: settings of callbacks, in YAML.
    """
    config = f"""
    defaults: [{{callbacks: [{callbacks}]}}, _self_]
    x: 0
    killed: -1
    done: {app.directory}/done
    db: {{password: hunter-two, url: "postgres://me:${{db.password}}@host/db"}}
    hydra: {{callbacks: {{{more}}}}}
    """
    app.write(body, config, f"from hydra_callback_kit import report_metrics\n{textwrap.dedent(preamble)}")


def warnings_of(done: Finished) -> list[str]:
    """What was said on the console of a tracker that could not be told of something."""
    return [line for line in done.stdout.splitlines() if "could not be told" in line]


def damage_the_points(root: Path, job_num: int) -> None:
    """Makes the file of a job's points one that can be read, and not sent: the times in it are none."""
    file = root / str(job_num) / "metrics.jsonl"
    file.write_text(file.read_text("utf-8").replace('"time":"', '"time":"not '), "utf-8")


def sync(root: Path | str, *arguments: str, code: int = 0, **environment: str) -> str:
    """What the command says on one line, and, where it fails, why."""
    command = [sys.executable, "-m", "hydra_callback_kit", "sync", str(root), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **environment}
    )
    assert done.returncode == code, done.stderr
    return " ".join((done.stdout + (done.stderr if code else "")).split())
