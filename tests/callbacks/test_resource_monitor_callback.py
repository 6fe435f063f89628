"""`resource_monitor_callback`'s parameters, and what it says of GPUs."""

import sys
from pathlib import Path
from typing import Any

import pytest
from hooks import call_run, config_of

from hydra_callback_kit import ParameterError, ResourceMonitorCallback
from hydra_callback_kit.record.reader import read_run


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
