"""Student's t distribution, as far as an interval for a mean needs it."""

import math
from typing import Final

_TINY: Final = 1e-300
_CLOSE: Final = 1e-15
_MOST_TERMS: Final = 10_000
_HALVINGS: Final = 200


def t_quantile(confidence: float, degrees: int) -> float:
    """How many standard errors an interval for a mean reaches to each side.

    Args:
        confidence: how often such an interval holds the true mean: 0.95 for 95 %; above 0 and below 1.
        degrees: the degrees of freedom, 1 or more: one less than there are numbers.
    """
    low, high = 0.0, 1.0
    while _outside(high, degrees) > 1 - confidence:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _outside(middle, degrees) > 1 - confidence else (low, middle)
    return (low + high) / 2


def _outside(t: float, degrees: int) -> float:
    """How likely a number is farther from 0 than `t`: the regularized incomplete beta function of degrees/2 and 1/2."""
    a, b, x = degrees / 2, 0.5, degrees / (degrees + t * t)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x)
    rest = t * t / (degrees + t * t)  # 1 - x, of which nothing is lost
    if rest == 0:
        return 1.0
    front = math.exp(log_front + b * math.log(rest))
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(a, b, x) / a
    return 1 - front * _continued_fraction(b, a, rest) / b


def _continued_fraction(a: float, b: float, x: float) -> float:
    """That of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return found


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
