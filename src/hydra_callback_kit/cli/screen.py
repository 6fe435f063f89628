"""What commands print: coloured and as wide as the terminal there, plain and whole in a pipe."""

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import as_json
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.files import json_text
from hydra_callback_kit.views.plain_table import Column, plain_table

COLOURS: Final = {"COMPLETED": "green", "FAILED": "red", "INTERRUPTED": "yellow", "RUNNING": "cyan"}


def print_json(value: Any) -> None:
    """Prints strict JSON."""
    click.echo(json_text(as_json(value)), nl=False)


def print_facts(facts: Mapping[str, str]) -> None:
    """Prints names and what belongs to them, one a line."""
    width = max(map(len, facts))
    for name, text in facts.items():
        click.echo(f"  {click.style(name.ljust(width), dim=True)}  {wording.on_one_line(text)}")


def print_reason(text: str) -> None:
    """Prints why a run was aborted, in lines as they were said."""
    for number, line in enumerate(wording.printable(text).split("\n")):
        click.echo(f"{'' if number else 'aborted: '}{line}")


def print_warnings(run: RunRecord) -> None:
    """Says which lines of the journal could not be read."""
    for broken in run.broken_lines:
        click.secho(f"This line of the journal cannot be read, the rest is shown: {broken}", err=True, fg="yellow")


def print_table(columns: Sequence[Column]) -> None:
    """Prints a table; on a terminal that is too narrow the last columns that are not needed are left out, and named."""
    if not is_terminal():
        click.echo("\n".join(plain_table(columns)))
        return
    from rich.console import Console  # noqa: PLC0415  nothing of it is needed in a pipe
    from rich.table import Table  # noqa: PLC0415  the same
    from rich.text import Text  # noqa: PLC0415  the same

    console = Console(highlight=False)
    shown, left_out = fitting(columns, console.width)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in shown:
        table.add_column(Text(column.head), justify="right" if column.right else "left", overflow="fold")
    for row in zip(*(column.cells for column in shown), strict=True):
        table.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    console.print(table)
    if left_out:
        names = ", ".join(column.head for column in left_out)
        console.print(Text(f"Not shown for want of width: {names}", style="dim"))


def fitting(columns: Sequence[Column], width: int) -> tuple[list[Column], list[Column]]:
    """Chooses the columns that a screen has room for.

    Returns:
        Those that are shown, and those that are left out: the last ones that are not needed.
    """
    shown = list(columns)
    left_out: list[Column] = []
    while _width(shown) > width and any(not column.needed for column in shown):
        last = max(i for i, column in enumerate(shown) if not column.needed)
        left_out.insert(0, shown.pop(last))
    return shown, left_out


def is_terminal() -> bool:
    """Whether people are looking."""
    return sys.stdout.isatty()


def local_time(time: str | None) -> str:
    """A time of the record in the time zone of the reader: `2025-03-01 14:05:09`; `?` if unknown."""
    try:
        return f"{dt.datetime.fromisoformat(time or '').astimezone():%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return "?"


def seconds_since(time: str | None) -> float | None:
    """How long ago a time of the record is; None if unknown."""
    try:
        return max(0.0, (dt.datetime.now(dt.timezone.utc) - dt.datetime.fromisoformat(time or "")).total_seconds())
    except (ValueError, TypeError):
        return None


def _width(columns: Sequence[Column]) -> int:
    return sum(max(map(len, (column.head, *column.cells))) for column in columns) + 2 * (len(columns) - 1)
