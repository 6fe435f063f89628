"""A job that submitit puts back into the queue: no failure, and no end."""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hook_calls import Listener, config_of, job_of, returned
from journals import lines_of

from hydra_callback_kit import ConditionalCallback, LoggingCallback
from hydra_callback_kit.journal.follower import RunFollower
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.requeue import is_requeue
from hydra_callback_kit.launching.limited import LimitedTask, Limits


def requeue() -> BaseException:
    """What submitit raises in a job that it has put back."""
    submitit = pytest.importorskip("submitit.core.job_environment", exc_type=ImportError)
    handler = submitit.SignalHandler.__new__(submitit.SignalHandler)
    handler._logger = submitit.logger.get_logger()
    try:
        handler._exit()
    except SystemExit as raised:
        return raised
    raise AssertionError


def exits() -> BaseException:
    """What an app raises that exits with the same code."""
    try:
        sys.exit(-1)
    except SystemExit as raised:
        return raised


@pytest.mark.parametrize("value", [exits(), SystemExit(-1), ValueError(), None, 3])
def test_an_app_may_exit_with_the_same_code(value: Any) -> None:
    """Who has raised it counts."""
    assert not is_requeue(value)


def test_a_job_that_was_told_that_its_time_is_over_may_be_put_back() -> None:
    """It runs again: it has not failed by its limit, as one that leaves by itself."""

    def task(_: Any) -> None:
        with contextlib.suppress(TimeoutError):
            while True:
                pass
        raise requeue()

    with pytest.raises(SystemExit) as raised:
        LimitedTask(task, Limits(0.1, 60.0, False, None))(None)
    assert not isinstance(raised.value, TimeoutError)


def test_it_is_no_end_of_the_job(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """On record, for those who follow the journal, in the log, and for callbacks that wait for failures."""
    run = config_of(tmp_path, mode="MULTIRUN")
    caplog.set_level("INFO")
    logs = LoggingCallback()
    logs.on_multirun_start(config=run)
    job, ended = job_of(run, num=0, id="7_0"), returned(requeue())
    assert is_requeue(ended._return_value)
    logs.on_job_start(config=job, task_function=len)
    logs.on_job_end(config=job, job_return=ended)
    assert "back into the queue" in caplog.text
    assert "FAILED" not in caplog.text
    (record,) = read_run(tmp_path).jobs
    assert (record.status, record.error, record.ended_at) == ("RUNNING", None, None)
    events = [json.loads(line)["event"] for line in lines_of(tmp_path)]
    assert (events.count("job_requeued"), events.count("job_ended")) == (1, 0)
    follower = RunFollower(tmp_path, read_run(tmp_path).run_id)
    follower.look()
    gone = follower.jobs(is_alive=lambda process: False)
    assert ([job.job_num for job in gone["RUNNING"]], gone["FAILED"], gone["INTERRUPTED"]) == ([0], [], [])
    logs.on_multirun_end(config=run)


@pytest.mark.parametrize(("status", "heard"), [("FAILED", 0), (None, 1)])
def test_callbacks_that_wait_for_a_failure_do_not_hear_of_it(tmp_path: Path, status: Any, heard: int) -> None:
    """Others do, for their process ends."""
    calls: list[str] = []
    wanted = {"job_status": status} if status else {"condition_key": "x"}
    conditional = ConditionalCallback(callbacks={"it": Listener(calls)}, **wanted)
    run = config_of(tmp_path, {"x": True}, "MULTIRUN")
    conditional.on_multirun_start(config=run)
    job = job_of(run, num=0, id="7_0")
    conditional.on_job_start(config=job, task_function=len)
    conditional.on_job_end(config=job, job_return=returned(requeue()))
    conditional.on_multirun_end(config=run)
    assert calls.count("it.on_job_end") == heard
