"""End to end: every callback is on at once, under every launcher, and none is in another's way."""

import pytest
from apps import LAUNCHERS, ON_LAUNCHER, TRACKERS, App

from hydra_callback_kit import load_run
from hydra_plugins.hydra_callback_kit.config import OPTIONS

CHOSEN = [
    option for option in OPTIONS if option not in ("detach_callback", "dry_run_callback", *TRACKERS)
]  # they let nothing run here
CONFIG = f"""
defaults:
  - callbacks: [{", ".join(CHOSEN)}]
  - _self_
x: 0
hydra:
  callbacks:
    conditional_callback: {{condition_key: x}}
    device_callback: {{devices: [a, b], variable: MY_DEVICE}}
    failure_limit_callback: {{max_failures: 3}}
    keep_best_callback: {{metric: double, mode: max}}
    results_aggregator_callback: {{output_file: [results.json, results.csv]}}
    retry_callback: {{retries: 1}}
    thread_safe_callback: {{output_file: jobs.json}}
    time_limit_callback: {{job_s: 100}}
    upload_callback: {{to: copies}}
    validation_callback: {{required_keys: [x], forbid_missing: true}}
"""


@pytest.mark.parametrize("launcher", [*LAUNCHERS, pytest.param("ray", marks=(pytest.mark.ray, pytest.mark.in_ci))])
def test_a_sweep_with_all_of_them_on(app: App, launcher: str) -> None:
    """A job fails: every file tells the same, and the exit code is the one without us."""
    app.write('print("job", cfg.x)\nif cfg.x == 1:\n    raise ValueError("boom")\nreturn {"double": 2 * cfg.x}', CONFIG)
    done = app.run("-m", *ON_LAUNCHER[launcher], "x=0,1,2", timeout_s=240)
    assert done.code == app.run("-m", *ON_LAUNCHER[launcher], "x=0,1,2", "callbacks=[]", "hydra.sweep.dir=bare").code == 1
    statuses = ["COMPLETED", "FAILED", "COMPLETED"]
    rows = done.json("results.json")
    assert [row["status"] for row in rows] == statuses
    assert [row["attempts"] for row in rows] == [1, 2, 1]
    assert {row["facts"]["device"] for row in rows} <= {"a", "b"}
    assert [row["return_value"] for row in rows] == [{"double": 0}, None, {"double": 4}]
    assert all(row["facts"]["resources"]["samples"] >= 1 and row["facts"]["cpu_s"] >= 0 for row in rows)
    assert [job["status"] for job in done.json("performance.json")["jobs"]] == statuses
    assert [job["status"] for job in done.json("jobs.json")["jobs"].values()] == [status.lower() for status in statuses]
    assert {"provenance.json", "config_resolved.yaml", "report.html", "results.csv"} <= {
        file.name for file in done.root.iterdir()
    }
    assert all((done.root / str(num) / "resources.csv").exists() for num in range(3))
    assert all(f"job {num}\n" in (done.root / str(num) / "output.log").read_text("utf-8") for num in range(3))
    assert [(done.root / str(num) / "profile.html").exists() for num in range(3)] == [True, False, False]
    (sent,) = (app.directory / "copies").iterdir()
    assert [job.status for job in load_run(sent.as_uri()).jobs] == statuses
    assert (sent / "0" / "output.log").read_bytes() == (done.root / "0" / "output.log").read_bytes()
    assert (app.directory / "best").resolve() == done.root / "2"
    assert (app.directory / "latest").resolve() == done.root
    assert "app: 3/3 jobs done, 1 failed, in " in done.stderr
    again = "-m", *ON_LAUNCHER[launcher], "x=0"
    assert "already holds a run that is FAILED" in app.run(*again, "~hydra.callbacks.resume_callback").stderr
    assert app.run(*again).code == 0
    assert "could not do its work" not in done.stdout + done.stderr
    assert "Please report this as a bug" not in done.stdout + done.stderr
