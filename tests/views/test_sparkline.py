"""A curve in a few characters."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.views.sparkline import WIDTH, sparkline


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([], ""),
        ([1.0], ""),
        ([0.0, 7.0], "▁█"),
        ([7, 6, 5, 4, 3, 2, 1, 0], "█▇▆▅▄▃▂▁"),
        ([3.0, 3.0, 3.0], "▁▁▁"),
        ([0.0, math.nan, 1.0], "▁ █"),
        ([math.nan, math.inf], "  "),
        ([-1.7e308, 1.7e308], "▁█"),
    ],
)
def test_what_it_looks_like(values: list[float], shown: str) -> None:
    """The least value is the lowest bar, the largest the highest."""
    assert sparkline(values) == shown


@given(values=st.lists(st.floats(), max_size=200))
def test_any_values_fit(values: list[float]) -> None:
    """It never raises, and never is too long."""
    assert len(sparkline(values)) == (min(WIDTH, len(values)) if len(values) > 1 else 0)
