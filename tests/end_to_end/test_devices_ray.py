"""End to end under Ray: each job has a device to itself, and a process, so that no idle one keeps a device."""

from pathlib import Path

import pytest
from apps import ON_LAUNCHER, App
from end_to_end.test_devices import BODY, CONFIG, NET, assert_apart

from hydra_callback_kit.journal.reader import read_run

pytestmark = pytest.mark.ray


def test_no_two_jobs_are_on_a_device_at_once(app: App) -> None:
    """Four jobs at once on two devices, which the app's modules see as they are imported."""
    (app.directory / "net.py").write_text(NET)
    app.write(BODY, CONFIG)
    four = [argument.replace("num_cpus=2", "num_cpus=4") for argument in ON_LAUNCHER["ray"]]
    done = app.run("-m", *four, "x=1,2,3,4,5,6", timeout_s=240, PYTHONPATH=str(app.directory))
    assert done.code == 0, done.stderr
    jobs = read_run(done.root).jobs
    assert_apart(jobs)
    assert {job.facts["device"] for job in jobs} == {"0", "1"}
    assert len({job.pid for job in jobs}) == 6
    assert "max_calls" not in (Path(done.root) / "multirun.yaml").read_text()
