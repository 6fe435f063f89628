"""An app that reports and logs into W&B, for both tests of W&B."""

import os
import textwrap
from pathlib import Path

import pytest
import tracker_app
from apps import App
from tracker_app import ENDS, REPORTS
from wandb_server import SentRun, WandbServer

BODY = f"""
wandb.log({{"own": cfg.x}})
{REPORTS}
{ENDS}
"""


@pytest.fixture(autouse=True)
def no_settings_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """W&B is as it is for who has not set it up; runs are kept offline."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def write(app: App, body: str = BODY, callbacks: str = "wandb_callback", preamble: str = "", timeout_s: float = 100) -> None:
    """An app that also logs itself; on a busy machine W&B takes longer than people have patience for."""
    settings = f"wandb_callback: {{project: study, job_type: train, tags: [vision], timeout_s: {timeout_s}}}"
    tracker_app.write(
        app, callbacks, body, preamble=f"import urllib.request, wandb\n{textwrap.dedent(preamble)}", more=settings
    )


def by_num(server: WandbServer) -> dict[int, SentRun]:
    """The runs that a server has, by the numbers of their jobs."""
    return {int(run_id.rpartition("-")[2]): run for run_id, run in sorted(server.runs.items())}
