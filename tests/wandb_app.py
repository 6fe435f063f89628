"""An app that reports and logs into W&B, and what is asked of it, for both tests of W&B."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from apps import App, Finished
from wandb_server import SentRun, WandbServer

BODY = """
wandb.log({"own": cfg.x})
for step in range(3):
    report_metrics({"val/loss": cfg.x - step}, step=step * 10)
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


@pytest.fixture(autouse=True)
def no_settings_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """W&B is as it is for who has not set it up; runs are kept offline."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def write(app: App, body: str = BODY, callbacks: str = "wandb_callback", preamble: str = "") -> None:
    """An app that also logs itself."""
    config = f"""
    defaults: [{{callbacks: [{callbacks}]}}, _self_]
    x: 0
    killed: -1
    done: {app.directory}/done
    db: {{password: hunter-two, url: "postgres://me:${{db.password}}@host/db"}}
    hydra:
      callbacks:
        wandb_callback: {{project: study, job_type: train, tags: [vision]}}
    """
    imports = "import urllib.request, wandb\nfrom hydra_callback_kit import report_metrics\n"
    app.write(body, config, imports + textwrap.dedent(preamble))


def warnings_of(done: Finished) -> list[str]:
    """What was said of W&B on the console."""
    return [line for line in done.stdout.splitlines() if "could not be told" in line]


def sync(root: Path, *arguments: str, code: int = 0, **environment: str) -> str:
    """What the command says."""
    command = [sys.executable, "-m", "hydra_callback_kit", "sync", str(root), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **environment}
    )
    assert done.returncode == code, done.stderr
    return " ".join((done.stdout + (done.stderr if code else "")).split())


def by_num(server: WandbServer) -> dict[int, SentRun]:
    """The runs that a server has, by the numbers of their jobs."""
    return {int(run_id.rpartition("-")[2]): run for run_id, run in sorted(server.runs.items())}
