"""The app's config as plain values, also where it brings in itself."""

from typing import Any

import pytest
from omegaconf import OmegaConf

from hydra_callback_kit.checks import plain
from hydra_callback_kit.configs import app_config, plain_values
from hydra_callback_kit.views.yaml_text import yaml_text

ITSELF = [
    {"c": {"a": "${oc.dict.values:c}", "n": None}},
    {"c": {"a": "${oc.dict.values:c}", "b": "${oc.dict.values:c}", "d": "${c}"}},
]


@pytest.mark.parametrize("config", ITSELF)
def test_a_config_that_brings_in_itself_comes_to_an_end(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it does: what is too deep stays as it was written, and YAML can be made of it."""
    monkeypatch.setattr(plain_values, "MAX_BROUGHT_IN", 200)
    monkeypatch.setattr(plain, "MAX_BROUGHT_IN", 200)
    made = OmegaConf.create({**config, "hydra": {"callbacks": {}, "overrides": {"task": [], "hydra": []}}})
    text = yaml_text(app_config.app_config(made).values)
    assert "${c.a}" in text
    assert len(text) < 200_000
    found = plain.plain(OmegaConf.create(config))
    assert "it contains itself" in found.unresolved[0].problem
