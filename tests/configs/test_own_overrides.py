"""Which overrides choose callbacks of this package."""

import pytest

from hydra_callback_kit.configs.own_overrides import OPTIONS, of_the_app
from hydra_plugins.hydra_callback_kit import config


def test_every_option_is_known() -> None:
    """The list stands twice, for whoever reads a record need not import Hydra."""
    assert {*config.OPTIONS, *config.SETS} == OPTIONS


@pytest.mark.parametrize("option", sorted(OPTIONS))
def test_what_chooses_an_option_is_not_the_apps(option: str) -> None:
    """However it is written; a callback of the app's own is the app's."""
    assert of_the_app([f"callbacks=[{option}]", f"+callbacks@hydra.callbacks.x={option}", "lr=1"]) == ["lr=1"]
    assert of_the_app([f"callbacks=[{option},mine]"]) == [f"callbacks=[{option},mine]"]
