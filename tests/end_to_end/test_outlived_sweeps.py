"""End to end: jobs that outlive their sweep's process, and the summaries that it has made too early or never."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from apps import ON_LAUNCHER, App
from terminal import cli

from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord

CONFIG = """
defaults:
  - callbacks: [results_aggregator_callback, performance_callback, report_callback, resume_callback]
  - _self_
x: 0
hydra:
  callbacks:
    results_aggregator_callback:
      output_file: [results.json, results.csv]
      sort_by: return_value
"""
BODY = """
deadline = time.monotonic() + 60
while not os.path.exists(f"{os.environ['GATES']}/{cfg.x}") and time.monotonic() < deadline:
    time.sleep(0.05)
return cfg.x
"""
pytestmark = pytest.mark.skipif(os.name == "nt", reason="submitit_local forks")


def until(holds: Any) -> None:
    """Waits until something holds."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)


def standing(root: Path) -> list[str]:
    """The statuses of the jobs on record."""
    return [job.status for job in read_run(root).jobs] if (root / ".callbacks").is_dir() else []


class Sweep:
    """A sweep whose two jobs wait for their gates, and whose process can be ended before; it may be one that goes on."""

    def __init__(self, app: App, monkeypatch: pytest.MonkeyPatch, *, goes_on: bool) -> None:
        app.write(BODY, CONFIG)
        if goes_on:
            assert app.run("-m", "x=1,2").code == 1  # there is no gate
        self.gates = app.directory / "gates"
        self.gates.mkdir()
        monkeypatch.setenv("GATES", str(self.gates))
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)  # its jobs would hold pipes open
        command = app.command("-m", *ON_LAUNCHER["submitit_local"], "x=1,2")
        self.process = subprocess.Popen(command, cwd=app.directory, env=app.environment(), start_new_session=True, **quiet)
        self.root = app.directory / "out"
        until(lambda: standing(self.root) == ["RUNNING", "RUNNING"])

    def end(self, how: signal.Signals) -> None:
        """Ends the sweep's own process."""
        self.process.send_signal(how)
        self.process.wait(60)

    def finish(self, job: int) -> RunRecord:
        """Lets a job go on, and waits until its process is gone."""
        (self.gates / str(job)).touch()
        until(lambda: standing(self.root)[job - 1] == "COMPLETED")
        (pid,) = (record.pid for record in read_run(self.root).jobs if record.job_num == job - 1)
        until(lambda: not (Path("/proc") / str(pid)).is_dir())
        return read_run(self.root)

    def statuses(self) -> dict[str, Any]:
        """What the files say of the jobs."""
        rows = json.loads((self.root / "results.json").read_text("utf-8"))
        performance = json.loads((self.root / "performance.json").read_text("utf-8"))
        best = json.loads((self.root / "best.json").read_text("utf-8")) if (self.root / "best.json").exists() else {}
        return {
            "rows": [row["status"] for row in rows],
            "csv": (self.root / "results.csv").read_text("utf-8").count("COMPLETED"),
            "running": performance["jobs_running"],
            "best": (best.get("return_value"), best.get("jobs_running")),
            "report": "still ran" in (self.root / "report.html").read_text("utf-8"),
        }


DONE = {"rows": ["COMPLETED", "COMPLETED"], "csv": 2, "running": 0, "best": (2, None), "report": False}


@pytest.fixture
def sweep(app: App, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """A sweep; whatever is left of it is ended."""
    made = Sweep(app, monkeypatch, goes_on=getattr(request, "param", False))
    yield made
    for job in (1, 2):
        (made.gates / str(job)).touch()
    if made.process.poll() is None:
        made.end(signal.SIGKILL)


@pytest.mark.parametrize("sweep", [False, True], indirect=True, ids=["first", "goes_on"])
def test_the_job_that_ends_last_makes_the_summaries_again(sweep: Sweep) -> None:
    """After Ctrl-C: the files say that jobs went on, the first to end leaves them, and the last makes them anew."""
    sweep.end(signal.SIGINT)
    early = sweep.statuses()
    assert early == {"rows": ["RUNNING", "RUNNING"], "csv": 0, "running": 2, "best": (None, None), "report": True}
    sweep.finish(1)
    assert sweep.statuses() == early
    said = cli("show", sweep.root)
    assert "summaries" in said.out
    assert "out of date (results.json, results.csv, performance.json, report.html): made while 2 still ran" in said.out
    assert json.loads(cli("show", sweep.root, "--json").out)["stale_summaries"]
    sweep.finish(2)
    assert sweep.statuses() == DONE
    assert "summaries" not in cli("show", sweep.root).out
    assert not list(sweep.root.glob("*.bak"))


def test_show_makes_them_again_while_a_job_goes_on(sweep: Sweep) -> None:
    """What was edited since is kept; `best.json` says that another job may be better; then there is nothing left to do."""
    sweep.end(signal.SIGINT)
    sweep.finish(1)
    (sweep.root / "results.csv").write_text("mine", "utf-8")
    said = cli("show", sweep.root, "--remake")
    assert said.code == 0
    assert "Made again: results.json, results.csv, performance.json, report.html" in said.err
    assert (sweep.root / "results.csv.bak").read_text("utf-8") == "mine"
    expected = {"rows": ["COMPLETED", "RUNNING"], "csv": 1, "running": 1, "best": (1, 1), "report": True}
    assert sweep.statuses() == expected
    assert "summaries" not in said.out
    assert "No summary is out of date" in cli("show", sweep.root, "--remake").err
    sweep.finish(2)
    assert sweep.statuses() == DONE


def test_after_a_sweep_was_killed_its_last_job_makes_them(sweep: Sweep) -> None:
    """SIGKILL: there are none, which `show` says, until the last job has ended."""
    sweep.end(signal.SIGKILL)
    sweep.finish(2)
    assert not (sweep.root / "results.json").exists()
    assert sweep.finish(1).status == "COMPLETED"
    assert sweep.statuses() == DONE


def test_while_the_sweep_lives_jobs_leave_them_to_it(sweep: Sweep) -> None:
    """No job makes them: they are not there before the sweep itself has ended."""
    (sweep.gates / "1").touch()
    until(lambda: standing(sweep.root) == ["COMPLETED", "RUNNING"])
    assert not (sweep.root / "results.json").exists()
    (sweep.gates / "2").touch()
    sweep.process.wait(60)
    assert sweep.statuses() == DONE
    lines = [file.read_text("utf-8") for file in (sweep.root / ".callbacks").glob("*.jsonl")]
    assert "".join(lines).count('"summed_up"') == 1


def test_two_jobs_that_end_at_once_leave_whole_summaries(sweep: Sweep) -> None:
    """Whichever of them makes the files, or both: they say that both have completed."""
    sweep.end(signal.SIGINT)
    for job in (1, 2):
        (sweep.gates / str(job)).touch()
    sweep.finish(1)
    sweep.finish(2)
    assert sweep.statuses() == DONE
    assert "summaries" not in cli("show", sweep.root).out
