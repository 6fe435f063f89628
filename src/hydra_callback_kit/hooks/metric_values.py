"""What is a number that a job can report."""

import math
import numbers
from typing import Any

from hydra_callback_kit.journal.values import is_number


def number_of(value: Any) -> float | None:
    """A value as a number that can be reported; None for what is none.

    Args:
        value: a number of Python's, or what holds one: of NumPy, torch or JAX.
    """
    if value is None or isinstance(value, (str, bytes)):
        return None
    try:
        if math.prod(getattr(value, "shape", ())) != 1:
            return None
        item = getattr(value, "item", None)
        plain = item() if callable(item) else value
        if not isinstance(plain, numbers.Real):
            plain = float(plain)
        plain = int(plain) if isinstance(plain, numbers.Integral) else float(plain)
    except (TypeError, ValueError, OverflowError):  # anything else is the job's: it might have asked itself
        return None
    return plain if is_number(plain) else None
