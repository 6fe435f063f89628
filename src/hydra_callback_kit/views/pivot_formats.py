"""A pivot table as text for a paper, a page or a program: LaTeX with booktabs, Markdown, HTML, CSV."""

import csv
import html
import io
import re
from collections.abc import Callable
from typing import Final

from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.views.figures import in_words
from hydra_callback_kit.views.pivot import Cell, Pivot
from hydra_callback_kit.views.setting_ranking import IN_WORDS
from hydra_callback_kit.views.table_formats import markdown_text

_OF_LATEX: Final = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
_POWER: Final = re.compile(r"e([+-][0-9]+)")
_NOTHING: Final = "-"


def latex(pivot: Pivot) -> str:
    """A `tabular` with the rules of booktabs; the best of each column is bold."""
    columns = list(map(_joined, pivot.columns)) if pivot.column_keys else [pivot.metric]
    lines = [
        f"% {printable(' '.join(_caption(pivot).split()))}",
        rf"\begin{{tabular}}{{{'l' * len(pivot.row_keys)}{'r' * len(pivot.columns)}}}",
        r"\toprule",
        *([_latex_above(pivot)] if pivot.column_keys else []),
        f"{' & '.join(map(_latex_text, [*pivot.row_keys, *columns]))} \\\\",
        r"\midrule",
        *(
            f"{' & '.join([*map(_latex_text, row), *map(_latex_cell, cells)])} \\\\"
            for row, cells in zip(pivot.rows, pivot.cells, strict=True)
        ),
        r"\bottomrule",
        *([_latex_note(pivot)] if _notes(pivot) else []),
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _latex_above(pivot: Pivot) -> str:
    """What the columns are, above them all."""
    first, count = len(pivot.row_keys), len(pivot.columns)
    head = _latex_text(_joined(pivot.column_keys))
    spanned = rf"{'& ' * first}\multicolumn{{{count}}}{{c}}{{{head}}} \\"
    return f"{spanned}\n\\cmidrule(lr){{{first + 1}-{first + count}}}"


def _latex_note(pivot: Pivot) -> str:
    """What readers of the table have to know of its cells, below them."""
    count = len(pivot.row_keys) + len(pivot.columns)
    return rf"\multicolumn{{{count}}}{{l}}{{\footnotesize {_latex_text('; '.join(_notes(pivot)))}}} \\"


def _latex_cell(cell: Cell | None) -> str:
    if cell is None:
        return "--"
    mean, plus_minus, error = in_words(cell.figures.mean, cell.figures.stderr).partition(" ± ")
    inside = f"{_latex_number(mean)} \\pm {_latex_number(error)}" if plus_minus else _latex_number(mean)
    text = rf"$\mathbf{{{inside}}}$" if cell.best else f"${inside}$"
    return f"{text} ({cell.figures.count})" if cell.few else text


def _latex_number(text: str) -> str:
    """A number for its mathematics: `1.5e-05` would be a product with the variable e."""
    text = text.replace("nan", r"\mathrm{nan}").replace("inf", r"\infty")
    return _POWER.sub(lambda found: rf" \times 10^{{{int(found[1])}}}", text)


def _latex_text(text: str) -> str:
    shown = printable(" ".join(text.split()))
    escaped = "".join(_OF_LATEX.get(character, character) for character in shown)
    # behind the end of a row they would be its options
    return f"{{{escaped[0]}}}{escaped[1:]}" if escaped.startswith(("[", "*")) else escaped


def markdown(pivot: Pivot) -> str:
    """A table with `|`; the best of each column is bold."""
    heads = [*pivot.row_keys, *_column_heads(pivot)]
    texts = [list(map(markdown_text, heads))]
    texts += [
        [*map(markdown_text, row), *map(_markdown_cell, cells)] for row, cells in zip(pivot.rows, pivot.cells, strict=True)
    ]
    widths = [max(3, *(len(line[place]) for line in texts)) for place in range(len(heads))]
    rule = ["-" * width if place < len(pivot.row_keys) else f"{'-' * (width - 1)}:" for place, width in enumerate(widths)]
    lines = [texts[0], rule, *texts[1:]]
    padded = [" | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines]
    return "".join(f"| {line} |\n" for line in padded) + f"\n{_caption(pivot, markdown_text)}\n"


def _markdown_cell(cell: Cell | None) -> str:
    if cell is None:
        return _NOTHING
    text = _words(cell)
    return f"**{text}**" if cell.best else text


def as_html(pivot: Pivot) -> str:
    """A `<table>` to paste into a page; the best of each column is `<strong>`."""
    heads = "".join(f"<th>{_html_text(head)}</th>" for head in (*pivot.row_keys, *_column_heads(pivot)))
    lines = ["<table>", f"<caption>{_html_text(_caption(pivot))}</caption>", f"<thead><tr>{heads}</tr></thead>", "<tbody>"]
    for row, cells in zip(pivot.rows, pivot.cells, strict=True):
        keys = "".join(f'<th scope="row">{_html_text(text)}</th>' for text in row)
        lines.append(f"<tr>{keys}{''.join(f'<td>{_html_cell(cell)}</td>' for cell in cells)}</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"]) + "\n"


def _html_cell(cell: Cell | None) -> str:
    if cell is None:
        return _NOTHING
    text = html.escape(_words(cell))
    return f"<strong>{text}</strong>" if cell.best else text


def _html_text(text: str) -> str:
    return html.escape(printable(" ".join(text.split())))


def as_csv(pivot: Pivot) -> str:
    """Numbers for a program: of each column the mean, the standard error and the count."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    parts = ("mean", "stderr", "count")
    writer.writerow([*pivot.row_keys, *(f"{head}.{part}" for head in _column_heads(pivot) for part in parts)])
    for row, cells in zip(pivot.rows, pivot.cells, strict=True):
        numbers = [getattr(cell.figures, part) if cell else None for cell in cells for part in parts]
        writer.writerow([*row, *("" if number is None else repr(number) for number in numbers)])
    return text.getvalue()


def _column_heads(pivot: Pivot) -> list[str]:
    if not pivot.column_keys:
        return [pivot.metric]
    return [
        ", ".join(f"{key}={text}" for key, text in zip(pivot.column_keys, column, strict=True)) for column in pivot.columns
    ]


def _joined(texts: tuple[str, ...]) -> str:
    return ", ".join(texts)


def _words(cell: Cell) -> str:
    text = in_words(cell.figures.mean, cell.figures.stderr)
    return f"{text} ({cell.figures.count})" if cell.few else text


def _caption(pivot: Pivot, text: Callable[[str], str] = str) -> str:
    """What the cells are.

    Args:
        pivot: the table.
        text: makes a name, which may be anybody's, a text of the format.
    """
    spread = [] if pivot.over <= 1 else [f"{IN_WORDS} of {pivot.over} seeds"]
    said = [*spread, *_notes(pivot)]
    return f"{text(pivot.metric)}: {'; '.join(said)}" if said else text(pivot.metric)


def _notes(pivot: Pivot) -> list[str]:
    """What does not go without saying: what stands in brackets, and what is bold."""
    notes = []
    if any(cell is not None and cell.few for cells in pivot.cells for cell in cells):
        notes.append("in brackets the number of seeds where there are fewer")
    if pivot.rank_by != "mean":
        notes.append(f"bold: the best of each column by the {pivot.rank_by_in_words}")
    return notes


FORMATS: Final[dict[str, Callable[[Pivot], str]]] = {".tex": latex, ".md": markdown, ".html": as_html, ".csv": as_csv}
"""What writes which, by the file's suffix."""
