"""Where `upload_callback` may send to."""

import pytest

from hydra_callback_kit.hooks.parameters import ParameterError
from hydra_callback_kit.hooks.upload_parameters import destination, options


@pytest.mark.parametrize("to", [None, "", " ", "s3://", "zip://a::s3://b", "file:"])
def test_what_is_no_place(to: str | None) -> None:
    """It says what to type."""
    with pytest.raises(ParameterError, match="s3://bucket"):
        destination(to, str(to))


def test_options_are_a_mapping() -> None:
    """And no value of them is in the error."""
    assert options({"anon": True}) == {"anon": True}
    with pytest.raises(ParameterError) as raised:
        options(["hunter-two"])
    assert "hunter-two" not in str(raised.value)
