"""The last message says what is known where the run is, and what Slurm knows."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from journals import a_run, as_of, write_job
from message_servers import Inbox, http_server
from slurm import FakeSlurm, slurm

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.process import neighbour, this_process
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.trackers.errand import Errand
from hydra_callback_kit.trackers.notifier_process import NotifierProcess

__all__ = ["slurm"]


def wait_for(inbox: Inbox, messages: int) -> None:
    """Waits until so many have come."""
    until_s = time.monotonic() + 60
    while len(inbox.messages) < messages:
        assert time.monotonic() < until_s
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("says", "title"), [((), "INTERRUPTED: 2 interrupted"), (("9_0 9 RUNNING 0",), "RUNNING: 1 interrupted, 1 running")]
)
def test_jobs_of_slurm_that_are_gone(tmp_path: Path, slurm: FakeSlurm, says: tuple[str, ...], title: str) -> None:
    """They ran on other machines and left no end: Slurm is asked, as by `show`, and once more where it takes a while."""
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
        goes_on = bool(says)
        assert message["message"].startswith("its command has ended, and jobs go on\n") is goes_on
        slurm.says()  # it was told to end them, and has done so now
        wait_for(inbox, 2 if goes_on else 1)
    assert inbox.titles[1:] == ["app: sweep INTERRUPTED: 2 interrupted"] * goes_on


def test_of_jobs_that_were_killed_the_first_is_the_one_that_was_seen_first(tmp_path: Path) -> None:
    """No record says when a job was killed: joblib ends all others as well, of which one may have been started before."""
    writer._files.clear()
    run = a_run(tmp_path)
    write_line(run, "run_started", {"mode": "MULTIRUN", "launcher": "joblib", "planned_jobs": 2, "job_name": "app"})
    for number in range(2):
        write_job(run, number, None)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        lives, (journal,) = neighbour(other.pid), (tmp_path / ".callbacks").glob("*.jsonl")
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        for line, pid in zip(lines[1:], (other.pid, other.pid + 2**22), strict=True):
            line |= {"pid": pid, "born": lives.born}
        journal.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
        writer._files.clear()
        with http_server() as inbox:
            urls, events = [f"json://127.0.0.1:{inbox.port}"], ["first_failure", "end"]
            errand = Errand(str(tmp_path), run.run_id, "app", True, this_process(), urls, events, None, 0.1, 10.0, "")
            process = NotifierProcess(errand, lambda *_: None)
            wait_for(inbox, 1)
            other.kill()
            other.wait()
            assert process.ends(60)
    assert inbox.messages[0]["message"].startswith("job 1 (x=1): It started and never reported its end")
    assert inbox.titles[1] == "app: sweep INTERRUPTED: 2 interrupted"
    assert "first error: job 1 (x=1): " in inbox.messages[1]["message"]
