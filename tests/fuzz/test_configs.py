"""Whatever a config holds: it is plain, without secrets, and on record as it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from hook_calls import call_run, config_of
from hypothesis import HealthCheck, given, reject, settings
from journals import Fresh
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import KeyValidationError, OmegaConfBaseException
from strategies import SECRET, configs

from hydra_callback_kit import LoggingCallback, PerformanceCallback, ResultsAggregatorCallback
from hydra_callback_kit.configs.app_config import app_config
from hydra_callback_kit.journal.encoder import to_json
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.values import as_json


def made(root: Path, app: dict[Any, Any]) -> DictConfig:
    """A run's config with this app's part; OmegaConf 2.4 has none with both `0` and `"0"` for keys."""
    try:
        return config_of(root, {key: value for key, value in app.items() if key != "hydra"})
    except KeyValidationError:
        reject()


@given(configs)
def test_a_config_is_plain_and_holds_no_secret(app: dict[Any, Any]) -> None:
    """It never raises, and is what OmegaConf makes of the config where that can be resolved as a whole."""
    config = made(Path("/run"), app)
    plain = app_config(config).values
    text = json.dumps(to_json(plain), allow_nan=False)
    assert SECRET not in text
    assert "hydra" not in plain
    if "<redacted " in text:
        return
    try:
        whole: Any = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    except (OmegaConfBaseException, RecursionError):
        return
    del whole["hydra"]
    assert to_json(plain) == to_json({str(key): value for key, value in whole.items()})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the log is cleared
@given(configs)
def test_a_run_with_any_config_is_on_record(fresh: Fresh, caplog: pytest.LogCaptureFixture, app: dict[Any, Any]) -> None:
    """No hook fails, the journal holds the config, and neither it nor what was logged holds a secret."""
    root = fresh("run")
    caplog.clear()
    config = made(root, app)
    for callback in (LoggingCallback(log_config=True), PerformanceCallback(), ResultsAggregatorCallback()):
        call_run(callback, config)
    (job,) = read_run(root).jobs
    assert as_json(job.facts["config"]) == to_json(app_config(config).values)
    (row,) = json.loads((root / "results.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert row["config"] == to_json(app_config(config).values)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "The job is not affected" not in said
    assert SECRET not in said + "".join(file.read_text("utf-8") for file in root.rglob("*.json*"))
