"""The last message says what is known where the run is, and what Slurm knows."""

from pathlib import Path

import pytest
from journals import a_run, as_of, write_job
from message_servers import http_server
from slurm import FakeSlurm, slurm

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.process import this_process
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.trackers.errand import Errand
from hydra_callback_kit.trackers.notifier_process import NotifierProcess

__all__ = ["slurm"]


@pytest.mark.parametrize(
    ("says", "title"), [((), "INTERRUPTED: 2 interrupted"), (("9_0 9 RUNNING 0",), "RUNNING: 1 interrupted, 1 running")]
)
def test_jobs_of_slurm_that_are_gone(tmp_path: Path, slurm: FakeSlurm, says: tuple[str, ...], title: str) -> None:
    """They ran on other machines and left no end: Slurm is asked, as by `show`."""
    writer._files.clear()
    run = a_run(tmp_path)
    for number in range(2):
        write_job(run, number, None)
    as_of("node1", tmp_path)
    journal = next((tmp_path / ".callbacks").glob("*.jsonl"))
    lines = journal.read_text()
    for number in range(2):
        lines = lines.replace(f'"job_id":"{number}"', f'"job_id":"9_{number}"')
    journal.write_text(lines)
    writer._files.clear()
    launcher = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher"
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher_class": launcher, "planned_jobs": 2, "job_name": "app"})
    write_line(run, "run_ended", {})
    slurm.says(*says)
    with http_server() as inbox:
        urls = [f"json://127.0.0.1:{inbox.port}"]
        errand = Errand(str(tmp_path), run.run_id, "app", True, this_process(), urls, ["end"], None, 60.0, 10.0, "")
        assert NotifierProcess(errand, lambda *_: None).ends(60)
        (message,) = inbox.messages
    assert message["title"].startswith(f"app: sweep {title}")
