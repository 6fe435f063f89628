"""`resource_monitor_callback`'s parameters, and what it says of GPUs."""

import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hook_calls import call_job, call_run, config_of, job_of, returned

from hydra_callback_kit import ParameterError, PerformanceCallback, ResourceMonitorCallback
from hydra_callback_kit.journal.reader import read_run


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"interval_s": 0}, "interval_s"),
        ({"interval_s": -1.0}, "interval_s"),
        ({"interval_s": float("nan")}, "interval_s"),
        ({"interval_s": float("inf")}, "interval_s"),
        ({"gpu": "maybe"}, "gpu"),
        ({"output_file": ""}, "output_file"),
        ({"output_file": "/nowhere/r.csv"}, "output_file"),
    ],
)
def test_a_bad_parameter_is_refused(parameters: dict[str, Any], wrong: str) -> None:
    """The error names it and what was given."""
    with pytest.raises(ParameterError) as raised:
        ResourceMonitorCallback(**parameters)
    assert (raised.value.parameter, raised.value.given) == (wrong, parameters[wrong])


def test_a_job_whose_end_was_not_forwarded_is_not_measured_on(tmp_path: Path) -> None:
    """`conditional_callback` with a `job_status` forwards every start, and not every end: its sampler ends all the same."""
    monitor, other = ResourceMonitorCallback(gpu="off"), PerformanceCallback()
    run = config_of(tmp_path, {}, "MULTIRUN")
    monitor.on_multirun_start(config=run)
    samplers: list[threading.Thread] = []
    before = set(threading.enumerate())
    for number in range(4):
        job = job_of(run, num=number, id=str(number))
        monitor.on_job_start(config=job, task_function=len)
        call_job(other, job, 1)
        samplers += set(threading.enumerate()) - before - set(samplers)
    for sampler in samplers[:-1]:
        sampler.join(60)
    assert [sampler.is_alive() for sampler in samplers] == [False, False, False, True]
    monitor.on_job_end(config=job, job_return=returned())
    jobs = read_run(tmp_path).jobs
    assert ["resources" in job.facts for job in jobs] == [False, False, False, True]


@pytest.mark.parametrize(
    ("given", "meant"), [("True", "on"), (True, "on"), ("False", "off"), ("OFF", "off"), ("auto", "auto")]
)
def test_what_yaml_makes_of_on_and_off_is_understood(given: Any, meant: str) -> None:
    """A bare `on` in YAML is true."""
    assert ResourceMonitorCallback(gpu=given).gpu == meant


@pytest.mark.parametrize(
    ("library", "parameters", "wrong"),
    [("psutil", {}, ""), ("psutil", {"gpu": "off"}, ""), ("pynvml", {"gpu": "on"}, "gpu")],
)
def test_a_missing_library_is_named_with_the_extra(
    library: str, parameters: dict[str, Any], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is not installed, the callback cannot be built; only `gpu=auto` does without the GPU library."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ParameterError, match=r"pip install 'hydra-callback-kit\[resources\]'") as raised:
        ResourceMonitorCallback(**parameters)
    assert raised.value.parameter == wrong
    if library == "pynvml":
        ResourceMonitorCallback()


def test_no_file_no_rows(tmp_path: Path) -> None:
    """`output_file=null` writes none; the record has the figures all the same."""
    call_run(ResourceMonitorCallback(output_file=None), config_of(tmp_path))
    (job,) = read_run(tmp_path).jobs
    assert job.facts["resources"]["file"] is None
    assert job.facts["resources"]["samples"] == 1
    assert [entry.name for entry in tmp_path.iterdir()] == [".callbacks"]
