"""The points of a job's metrics in a CSV file that a library has written, such as Lightning's `CSVLogger`."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.regular_file import open_regular

_STEPS: Final = ("step", "epoch")
"""Columns that say where a row belongs; the first that is there does."""


def points_in(path: Path, time: str) -> Iterator[Point]:
    """Reads the points of a file: a row each, a metric for each column; cells that are empty or no numbers are none.

    Args:
        path: a CSV file with a head.
        time: what the points get for their time, which the file does not tell.

    Raises:
        OSError: if it cannot be read.
        csv.Error: if it is no CSV file.
    """
    with open_regular(path) as file:
        rows = csv.DictReader((line.decode("utf-8", "replace").removeprefix("\ufeff") for line in file), restval="")
        by = next((name for name in _STEPS if name in (rows.fieldnames or ())), None)
        for row in rows:
            cells = {name: _number(cell) for name, cell in row.items() if name and name not in _STEPS}
            step = None if by is None else _number(row[by])
            values = {name: number for name, number in cells.items() if number is not None}
            if values and (step is None or math.isfinite(step)):
                yield Point(time, int(step) if step is not None and step.is_integer() else step, values)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
