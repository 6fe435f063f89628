"""A table as lines of text, for a screen or a pipe."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of a table on the screen.

    Attributes:
        head: its head.
        cells: the text of each row.
        right: whether it is aligned to the right, as numbers are.
        needed: whether it stays when the screen is too narrow for all columns.
    """

    head: str
    cells: Sequence[str]
    right: bool = False
    needed: bool = True


def plain_table(columns: Sequence[Column]) -> list[str]:
    """Lays a table out as lines of text, as wide as its cells."""
    widths = [max(map(len, (column.head, *column.cells))) for column in columns]
    lines = zip(*((column.head, *column.cells) for column in columns), strict=True)
    return [
        "  ".join(
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ).rstrip()
        for line in lines
    ]
