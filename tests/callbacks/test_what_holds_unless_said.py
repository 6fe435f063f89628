"""What the pages promise of callbacks whose parameters nobody has set."""

import inspect
from typing import Any

import pytest

import hydra_callback_kit

DEFAULTS: dict[str, dict[str, Any]] = {
    "DetachCallback": {"output_file": "detached.log"},
    "KeepBestCallback": {"keep": 3, "what": ("*.ckpt",), "dry_run": False, "link": "best"},
    "MlflowCallback": {
        "tracking_uri": None,
        "nested": True,
        "log_artifacts": (".hydra", "*.log"),
        "log_config": True,
        "timeout_s": 10.0,
        "setup_timeout_s": 60.0,
    },
    "NotificationCallback": {
        "urls": (),
        "events": ("end", "failure", "first_failure", "abort"),
        "template": None,
        "min_interval_s": 60.0,
        "timeout_s": 10.0,
    },
    "OutputCaptureCallback": {"file": "output.log", "separate": False, "tee": True, "tail_lines": 50},
    "ProfilerCallback": {"profiler": "pyinstrument", "jobs": "first", "every_rank": False},
    "UploadCallback": {"what": ("**",), "exclude": ("*.ckpt",), "delete_local": False},
    "WandbCallback": {"group": None, "mode": None, "timeout_s": 10.0},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
    """The class and the node of its option have the same; that is tested for all."""
    parameters = inspect.signature(getattr(hydra_callback_kit, name)).parameters
    assert {parameter: parameters[parameter].default for parameter in DEFAULTS[name]} == DEFAULTS[name]
