"""`conditional_callback`: who hears which hook, and what the log says when nobody can tell."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from apps import without_numbers
from hook_calls import Listener, call_job, call_run, config_of, job_of, pickled, returned
from omegaconf import OmegaConf

from hydra_callback_kit import ConditionalCallback, ParameterError, PerformanceCallback, ThreadSafeCallback
from hydra_callback_kit.journal.reader import read_run

RUN = ["on_run_start", "on_job_start", "on_job_end", "on_run_end"]


def heard_by(*names: str, key: str | None = "debug", **parameters: Any) -> tuple[ConditionalCallback, list[str]]:
    """A conditional callback over listeners, and what they will have heard."""
    heard: list[str] = []
    wrapped = {name: Listener(heard, name) for name in names or ("it",)}
    return ConditionalCallback(key, callbacks=wrapped, **parameters), heard


@pytest.mark.parametrize(("debug", "expected"), [(True, RUN), (False, [])])
def test_all_hooks_of_a_run_or_none(tmp_path: Path, debug: bool, expected: list[str]) -> None:
    """A single run is forwarded when the condition holds, and leaves no trace when it does not."""
    callback, heard = heard_by()
    call_run(callback, config_of(tmp_path, {"debug": debug}))
    assert heard == [f"it.{hook}" for hook in expected]
    assert (tmp_path / ".callbacks").exists() is debug


def test_ends_come_in_reverse_order(tmp_path: Path) -> None:
    """As Hydra calls its own callbacks."""
    callback, heard = heard_by("a", "b")
    call_run(callback, config_of(tmp_path, {"debug": True}))
    assert heard == [f"{name}.{hook}" for hook in RUN for name in ("ab" if hook.endswith("start") else "ba")]


@pytest.mark.parametrize("base", [True, False])
@pytest.mark.parametrize("swept", [["debug=true,false"], [], ["other=1,2"]])
def test_a_sweep_is_forwarded_for_its_base_config_or_its_key(tmp_path: Path, base: bool, swept: list[str]) -> None:
    """The sweep's hooks look at the base config and at what is swept; a job's hooks at the job alone."""
    callback, heard = heard_by()
    run = config_of(tmp_path, {"debug": base}, "MULTIRUN")
    run.hydra.overrides.task = swept
    callback.on_multirun_start(config=run)
    for number, debug in enumerate((True, False)):
        call_job(callback, job_of(run, {"debug": debug}, num=number, id=str(number)))
    callback.on_multirun_end(config=run)
    of_sweep = base or swept == ["debug=true,false"]
    expected = [*["on_multirun_start"] * of_sweep, "on_job_start", "on_job_end", *["on_multirun_end"] * of_sweep]
    assert heard == [f"it.{hook}" for hook in expected]


def test_a_start_that_was_forwarded_gets_its_end(tmp_path: Path) -> None:
    """Also when the config has changed meanwhile, and in a copy of the callback."""
    callback, heard = heard_by()
    config = config_of(tmp_path, {"debug": True})
    callback.on_job_start(config=config, task_function=len)
    config.debug = False
    callback.on_job_end(config=config, job_return=returned())
    callback.on_job_start(config=config, task_function=len)
    config.debug = True
    callback.on_job_end(config=config, job_return=returned())
    assert heard == ["it.on_job_start", "it.on_job_end"]


@pytest.mark.parametrize("job_status", ["COMPLETED", "failed"])
@pytest.mark.parametrize("key", [None, "debug"])
def test_a_job_status_chooses_the_ends_of_jobs(tmp_path: Path, job_status: str, key: str | None) -> None:
    """Only the end of a job that ended so is forwarded; the journal has the end of every job whose start was."""
    callback, heard = heard_by(key=key, job_status=job_status)
    run = config_of(tmp_path, {"debug": True}, "MULTIRUN")
    callback.on_multirun_start(config=run)
    for number, value in enumerate((1, ValueError("boom"))):
        call_job(callback, job_of(run, num=number, id=str(number)), value)
    assert heard.count("it.on_job_start") == 2
    assert heard.count("it.on_job_end") == 1
    assert heard.index("it.on_job_end") == (2 if job_status == "COMPLETED" else 3)
    assert [job.status for job in read_run(tmp_path).jobs] == ["COMPLETED", "FAILED"]


def test_with_no_callbacks_it_logs_that_the_condition_was_met(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At the start of the job, or at its end where the status counts; a secret value is not shown."""
    caplog.set_level("INFO")
    call_run(ConditionalCallback("x", 3, "ge"), config_of(tmp_path, {"x": 5}))
    call_run(ConditionalCallback("x", 3, "lt"), config_of(tmp_path, {"x": 5}))
    call_run(ConditionalCallback("x", operator="exists", job_status="FAILED"), config_of(tmp_path, {"x": 5}), OSError())
    call_run(ConditionalCallback(job_status="COMPLETED"), config_of(tmp_path))
    call_run(ConditionalCallback("db.token", "hunter2"), config_of(tmp_path, {"db": {"token": "hunter2"}}))
    assert [without_numbers(record.message) for record in caplog.records] == [
        "Job 0 starts; the condition is met: x ge 3",
        "Job 0 FAILED; the condition is met: x exists",
        "Job 0 COMPLETED",
        "Job 0 starts; the condition is met: db.token eq <redacted>",
    ]


def test_why_it_cannot_be_told_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of a sweep with many jobs, once for each reason, in the process of the sweep and in those of the jobs."""
    callback, heard = heard_by(key="model.size", condition_value=3, operator="lt")
    run = config_of(tmp_path, {"x": 0}, "MULTIRUN")
    callback.on_multirun_start(config=run)
    for number in range(3):
        call_job(pickled(callback), job_of(run, num=number, id=str(number)))
    for number in range(3, 6):
        call_job(callback, job_of(run, {"model": {"size": "large"}}, num=number, id=str(number)))
    callback.on_multirun_end(config=run)
    assert heard == []
    missing, incomparable = (record.message for record in caplog.records)
    assert "no model.size" in missing
    assert all(word in incomparable for word in ("str", "int", "lt"))


def test_the_two_nest_in_each_other_and_survive_pickling(tmp_path: Path) -> None:
    """Either way round, three deep, in a pickled copy: the innermost callback does its work."""
    innermost = {"timing": PerformanceCallback(output_file="inner.json")}
    nested = ThreadSafeCallback({"if": ConditionalCallback("debug", callbacks={"safe": ThreadSafeCallback(innermost)})})
    other = ConditionalCallback("debug", callbacks={"safe": ThreadSafeCallback({"if": nested})})
    call_run(pickled(other), config_of(tmp_path, {"debug": True}))
    assert (tmp_path / "inner.json").exists()


def test_a_condition_value_is_plain(tmp_path: Path) -> None:
    """Hydra hands over OmegaConf's list, whose pickle would hold the whole config."""
    config = OmegaConf.create({"values": [1, 2], "large": ["x" * 1000] * 1000})
    callback, heard = heard_by(key="x", condition_value=config["values"], operator="in")
    assert len(pickle.dumps(callback)) < 2_000
    call_run(callback, config_of(tmp_path, {"x": 2}))
    assert heard


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({}, "condition_key"),
        ({"condition_key": "a..b"}, "condition_key"),
        ({"condition_key": ""}, "condition_key"),
        ({"condition_key": "x", "operator": "equals"}, "operator"),
        ({"condition_key": "x", "operator": "matches", "condition_value": "("}, "condition_value"),
        ({"condition_key": "x", "operator": "matches"}, "condition_value"),
        ({"condition_key": "x", "operator": "in", "condition_value": 3}, "condition_value"),
        ({"condition_key": "x", "operator": "lt"}, "condition_value"),
        ({"job_status": "DONE"}, "job_status"),
        ({"condition_key": "x", "callbacks": {"it": {}}}, "callbacks.it"),
    ],
)
def test_bad_parameters_fail_as_it_is_built(parameters: dict[str, Any], parameter: str) -> None:
    """Before any job, with the parameter's name."""
    with pytest.raises(ParameterError) as refused:
        ConditionalCallback(**parameters)
    assert refused.value.parameter == parameter


@pytest.mark.parametrize(("operator", "value"), [("matches", "(hunter2"), ("in", 31415926), ("lt", True)])
def test_an_error_does_not_say_what_a_secret_is_compared_with(operator: str, value: Any) -> None:
    """No run has begun that could know its secrets: the key alone tells."""
    with pytest.raises(ParameterError) as raised:
        ConditionalCallback(condition_key="db.password", condition_value=value, operator=operator)
    assert str(value) not in str(raised.value)
