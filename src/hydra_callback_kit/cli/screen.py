"""What commands print: coloured and as wide as the terminal there, plain and whole in a pipe.

This is the one place that prints. What it is given may be anybody's text: control characters are spelled out.
"""

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import click

from hydra_callback_kit.journal.printable import on_one_line, printable, printable_json
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import as_json
from hydra_callback_kit.remote.mirror import named
from hydra_callback_kit.views.files import json_text
from hydra_callback_kit.views.plain_table import Column, plain_table

COLOURS: Final = {"COMPLETED": "green", "FAILED": "red", "INTERRUPTED": "yellow", "RUNNING": "cyan", "PRUNED": "magenta"}

MAX_WARNINGS: Final = 20
"""Broken lines of a run's journal that are named."""


class Styled(NamedTuple):
    """A text in colour.

    Attributes:
        text: the text.
        colour: a name of `click.style`; None for none.
        bold: whether it is bold.
        dim: whether it is dim.
    """

    text: str
    colour: str | None = None
    bold: bool = False
    dim: bool = False


def say(*parts: str | Styled, err: bool = False) -> None:
    """Prints one line.

    Args:
        parts: what stands on it, one after another.
        err: whether it goes to stderr.
    """
    click.echo("".join(map(_shown, parts)), err=err)


def say_lines(text: str, before: str = "") -> None:
    """Prints a text that has line breaks of its own.

    Args:
        text: the text.
        before: what stands before each line.
    """
    for line in printable(named(text)).split("\n"):
        click.echo(f"{before}{line}")


def say_as_it_is(text: str) -> None:
    """Prints a text that a program reads: in a pipe what looks like a colour is part of it; people see it spelled out."""
    shown = printable(text) if is_terminal() else text
    click.echo(shown, color=True)
    if shown != text:
        warn("Some characters of this line are spelled out on a terminal; in a pipe they are as they were given.")


def pass_on(output: bytes) -> None:
    """Prints what a run has printed, with its colours and progress bars: the caller's own, for this very terminal."""
    if output:
        click.echo(output, nl=False)


def print_json(value: Any) -> None:
    """Prints strict JSON."""
    click.echo(printable_json(named(json_text(as_json(value)))), nl=False)


def print_facts(facts: Mapping[str, str]) -> None:
    """Prints names and what belongs to them, one a line."""
    names = [on_one_line(name) for name in facts]
    width = max(map(len, names))
    for name, text in zip(names, facts.values(), strict=True):
        say("  ", Styled(name.ljust(width), dim=True), f"  {text}")


def print_reason(text: str) -> None:
    """Prints why a run was aborted, in lines as they were said."""
    say_lines(f"aborted: {text}")


def print_warnings(run: RunRecord) -> None:
    """Says which lines of the journal could not be read."""
    for broken in run.broken_lines[:MAX_WARNINGS]:
        warn(f"This line of the journal cannot be read, the rest is shown: {broken}")
    more = len(run.broken_lines) - MAX_WARNINGS
    if more > 0:
        warn(f"{more} more {'line' if more == 1 else 'lines'} of the journal cannot be read; show --json names all")


def warn(text: str) -> None:
    """Says on stderr what people should know."""
    say(Styled(text, "yellow"), err=True)


def print_table(columns: Sequence[Column]) -> None:
    """Prints a table; on a terminal that is too narrow the last columns that are not needed are left out, and named."""
    columns = [Column(on_one_line(each.head), _on_one_line(each.cells), each.right, each.needed) for each in columns]
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


def _on_one_line(cells: Sequence[str]) -> Sequence[str]:
    text = "".join(cells)  # most columns are fit to be seen, and tens of thousands of cells take a while one by one
    return cells if text.isprintable() and named(text) == text else [on_one_line(named(cell)) for cell in cells]


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


def _shown(part: str | Styled) -> str:
    if isinstance(part, str):
        return on_one_line(named(part))
    return click.style(on_one_line(named(part.text)), fg=part.colour, bold=part.bold or None, dim=part.dim or None)


def _width(columns: Sequence[Column]) -> int:
    return sum(max(map(len, (column.head, *column.cells))) for column in columns) + 2 * (len(columns) - 1)
