"""What a process knows of the run and the job that it is in is what the record will say of them."""

import math
from pathlib import Path

from hook_calls import config_of, job_of, returned

from hydra_callback_kit.hooks.recording import RecordingCallback
from hydra_callback_kit.hooks.so_far import job_so_far, run_so_far
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.trackers.payload import payload_of_job


def test_it_is_as_on_record(tmp_path: Path) -> None:
    """What is sent of a job as it ends is what is sent of it afterwards; no secret is in it."""
    callback = RecordingCallback()
    run = config_of(tmp_path, {"lr": 0.1, "db": {"password": "hunter-two"}}, "MULTIRUN")
    run.hydra.runtime.choices = {"hydra/launcher": "basic"}
    callback.on_multirun_start(config=run)
    job = job_of(run, num=3, id="app_3")
    job.hydra.runtime.choices = {"hydra/launcher": "basic"}
    job.hydra.overrides.task = ["lr=0.1", "db.password=hunter-two"]
    callback.on_job_start(config=job, task_function=len)
    assert job_so_far(job, with_config=False).status == "RUNNING"
    assert run_so_far(job).run_id == run_so_far(run).run_id
    callback.on_job_end(config=job, job_return=returned({"loss": 0.5, "nan": math.nan, "password": "hunter-two"}))

    live = payload_of_job(run_so_far(job), job_so_far(job, with_config=True))
    record = read_run(tmp_path)
    afterwards = payload_of_job(record, record.jobs[0])
    assert math.isnan(live.metrics.pop("nan"))
    assert math.isnan(afterwards.metrics.pop("nan"))
    assert live.metrics == afterwards.metrics == {"loss": 0.5}
    assert live.tags == afterwards.tags
    assert (live.name, live.status, live.overrides) == (afterwards.name, afterwards.status, afterwards.overrides)
    assert "hunter-two" not in str(live)
    assert live.params()["lr"] == 0.1


def test_a_job_that_failed(tmp_path: Path) -> None:
    """It has its error."""
    callback, run = RecordingCallback(), config_of(tmp_path)
    callback.on_run_start(config=run)
    callback.on_job_start(config=run, task_function=len)
    callback.on_job_end(config=run, job_return=returned(ValueError("boom")))
    payload = payload_of_job(run_so_far(run), job_so_far(run, with_config=True))
    assert (payload.status, payload.error) == ("FAILED", "ValueError: boom")
