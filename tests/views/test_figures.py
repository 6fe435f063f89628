"""Numbers summed up, in words."""

import math

import pytest

from hydra_callback_kit.views.figures import in_words


@pytest.mark.parametrize(
    ("mean", "error", "words"),
    [
        (0.98123, 0.0041, "0.981 ± 0.004"),
        (0.98123, 0.0141, "0.981 ± 0.014"),
        (0.98123, None, "0.98123"),
        (0.5, 0.0, "0.5 ± 0"),
        (0.09, 4.9e-17, "0.09 ± 0"),
        (-0.09, 4.9e-17, "-0.09 ± 0"),
        (0.0, 4.9e-17, "0 ± 4.9e-17"),
        (4e-9, 1e-9, "4e-09 ± 1e-09"),
        (math.inf, math.nan, "inf ± nan"),
    ],
)
def test_a_mean_is_rounded_by_its_error(mean: float, error: float | None, words: str) -> None:
    """What is only the rounding of floats is no error; where the mean is 0 nobody can tell."""
    assert in_words(mean, error) == words
