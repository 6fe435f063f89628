"""What `keep_best_callback` refuses as it is built."""

from typing import Any

import pytest

from hydra_callback_kit import KeepBestCallback
from hydra_callback_kit.hooks.parameters import ParameterError


@pytest.mark.parametrize(
    "given",
    [{"metric": " "}, {"mode": "maximum"}, {"keep": 0}, {"keep": True}, {"what": []}, {"link": "a/b"}, {"link": "latest"}],
)
def test_what_cannot_be_meant(given: dict[str, Any]) -> None:
    """The error names the parameter, and what to type."""
    with pytest.raises(ParameterError, match=f"{next(iter(given))}=.*Write "):
        KeepBestCallback(**{"metric": "accuracy", **given})
