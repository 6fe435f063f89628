"""A table as a file: JSON, JSON lines, CSV, Markdown or Parquet, as the file's suffix says."""

import csv
import itertools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.values import as_json
from hydra_callback_kit.views.wording import shortened

_OF_MARKDOWN: Final = re.compile(r"[\\|<>&`*\[\]]")

MAX_CELL: Final = 80
"""Characters of a cell in Markdown."""


@dataclass(frozen=True)
class Table:
    """Rows in both shapes; each is made as it is written, so that a large table is never held as a whole.

    Attributes:
        nested: makes the rows as objects, for JSON.
        columns: the names of the flat columns, all different.
        cells: makes the flat rows, a cell for each column: None, a boolean, a number, a string, a list or a dict.
        times: the columns that hold times in ISO 8601.
        not_for_people: the columns that are left out of Markdown.
    """

    nested: Callable[[], Iterable[dict[str, Any]]]
    columns: Sequence[str]
    cells: Callable[[], Iterable[list[Any]]]
    times: frozenset[str] = frozenset()
    not_for_people: frozenset[str] = frozenset()


def write_table(path: Path, table: Table, suffix: str, *, safe_csv: bool = False) -> None:
    """Writes a table.

    Args:
        path: the file, under a temporary name.
        table: what to write.
        suffix: that of the file's own name, which decides the format: one of `FORMATS`, or the same in capitals.
        safe_csv: whether CSV is written for spreadsheets, which take some texts for formulas: see `write_csv`.

    Raises:
        OSError: if it cannot be written.
        ModuleNotFoundError: for `.parquet`, if pyarrow is not installed.
    """
    if safe_csv and suffix.lower() == ".csv":
        write_csv(path, table, safe=True)
    else:
        FORMATS[suffix.lower()](path, table)


def write_json(path: Path, table: Table) -> None:
    """A list of objects, one a line, so that large files can be searched and compared line by line."""
    with _text_file(path) as file:
        separator = "[\n"
        for row in table.nested():
            file.write(separator + _json(row))
            separator = ",\n"
        file.write("\n]\n" if separator == ",\n" else "[]\n")


def write_jsonl(path: Path, table: Table) -> None:
    """An object a line."""
    with _text_file(path) as file:
        for row in table.nested():
            file.write(_json(row) + "\n")


def write_csv(path: Path, table: Table, *, safe: bool = False) -> None:
    """RFC 4180: NaN and infinities as `nan`, `inf`, `-inf`; None as an empty cell; lists and dicts as JSON.

    With `safe`, a text that a spreadsheet would take for a formula has a `'` in front, in the head too.
    """
    with _text_file(path) as file:
        writer = csv.writer(file)
        for cells in itertools.chain((table.columns,), table.cells()):
            texts: Sequence[Any]
            if safe:
                texts = [_no_formula(cell_text(cell)) for cell in cells]
            else:
                texts = cells if _WRITTEN_AS_THEY_ARE.issuperset(map(type, cells)) else list(map(cell_text, cells))
            try:
                writer.writerow(texts)
            except (ValueError, csv.Error):  # an integer of thousands of digits; NUL, which Python 3.10 does not write
                writer.writerow([cell_text(cell).replace("\0", r"\x00") for cell in texts])


def write_markdown(path: Path, table: Table) -> None:
    """A table for people: see `markdown`. Columns without any value are left out."""
    rows = [dict(zip(table.columns, cells, strict=True)) for cells in table.cells()]
    shown = [
        column
        for column in table.columns
        if column not in table.not_for_people and any(row[column] is not None for row in rows)
    ]
    with _text_file(path) as file:
        file.write(markdown(shown or table.columns[:1], ([row[column] for column in shown] for row in rows)))


def markdown(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, for_a_page: bool = True) -> str:
    """Lays cells out as a Markdown table that reads well as plain text, too.

    Args:
        columns: the heads of the columns.
        rows: the cells; floats get six digits, text is cut after `MAX_CELL` characters.
        for_a_page: whether it may become a page: then nothing in a cell is taken for HTML, a link or code. A log needs none
            of that: what stands there is copied.

    Returns:
        Lines; numbers are aligned to the right.
    """
    cells = [list(row) for row in rows]
    numeric = [
        any(_is_number(row[i]) for row in cells) and all(row[i] is None or _is_number(row[i]) for row in cells)
        for i in range(len(columns))
    ]
    texts = [[_of_page(_short(cell)) if for_a_page else _short(cell) for cell in row] for row in (columns, *cells)]
    widths = [max(3, *(len(row[i]) for row in texts)) for i in range(len(columns))]
    rule = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, numeric, strict=True)]
    lines = [texts[0], rule, *texts[1:]]
    return "".join(
        "| "
        + " | ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        )
        + " |\n"
        for line in lines
    )


def write_parquet(path: Path, table: Table) -> None:
    """Typed columns: integers, floats, booleans, UTC times, text; a column of several kinds is text, as in CSV."""
    import pyarrow as pa  # noqa: PLC0415  an extra, needed for this format only
    import pyarrow.parquet as pq  # noqa: PLC0415  the same

    rows = list(table.cells())
    columns: dict[str, Any] = {}
    for i, name in enumerate(table.columns):
        cells = [row[i] for row in rows]
        if name in table.times:
            columns[_unicode(name)] = pa.array(cells, pa.string()).cast(pa.timestamp("us", tz="UTC"))
            continue
        kinds = {type(cell) for cell in cells if cell is not None}
        if kinds == {bool}:
            column = pa.array(cells, pa.bool_())
        elif kinds and kinds <= {int, float} and all(_fits(cell, kinds) for cell in cells):
            column = pa.array(cells, pa.int64() if kinds == {int} else pa.float64())
        else:
            column = pa.array([cell if cell is None else _unicode(cell_text(cell)) for cell in cells], pa.string())
        columns[_unicode(name)] = column
    pq.write_table(pa.table(columns), path)


FORMATS: Final[dict[str, Callable[[Path, Table], None]]] = {
    ".json": write_json,
    ".jsonl": write_jsonl,
    ".csv": write_csv,
    ".md": write_markdown,
    ".parquet": write_parquet,
}


def cell_text(cell: Any) -> str:
    """A cell as text: None is empty, booleans are `true` and `false`, lists and dicts are JSON."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return repr(cell)
    encoded = as_json(cell)
    return str(encoded) if isinstance(encoded, int) else _json(cell)


_WRITTEN_AS_THEY_ARE: Final = frozenset((str, int, float, type(None)))
_OF_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_INT64: Final = range(-(2**63), 2**63)


def _json(value: Any) -> str:
    return json.dumps(as_json(value), allow_nan=False, ensure_ascii=False)


def _text_file(path: Path) -> Any:
    # half a surrogate pair has no UTF-8; its escape is what JSON would write, too
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def _fits(cell: Any, kinds: set[type]) -> bool:
    if kinds == {int}:
        return cell is None or cell in _INT64
    return not isinstance(cell, int) or abs(cell) <= 2**53


def markdown_text(text: str) -> str:
    """A text for a cell of a page in Markdown, where nothing of it is HTML, a link or code, and which it cannot end."""
    return _of_page(_short(text))


def _of_page(text: str) -> str:
    return _OF_MARKDOWN.sub(r"\\\g<0>", text)


def _short(cell: Any) -> str:
    text = f"{cell:.6g}" if isinstance(cell, float) else cell_text(cell)
    return shortened(printable(" ".join(text.split())), MAX_CELL)


def _no_formula(text: str) -> str:
    if not text.startswith(_OF_FORMULAS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
