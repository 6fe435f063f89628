"""What the page on costs shows of `docs/benchmark.md`: the figures that most people ask for, and every bound."""

from pathlib import Path
from typing import Final

from contenders import PEER

PROJECT: Final = Path(__file__).resolve().parent.parent
FIRST, LAST = "<!-- benchmark -->\n", "<!-- end of benchmark -->\n"
"""The marks in the page between which all is replaced."""
SHOWN: Final = ("logging and performance", "standard_callbacks", "the first fourteen", "everything", PEER)
COLUMNS: Final = {
    "wall time of a whole sweep, against bare Hydra": "whole sweep, basic, wall time against bare: {}",
    "wall time of a single run, against bare Hydra": "single run, wall time against bare: {}",
    "peak memory": "single run, peak memory against bare: {}",
    "in the hooks per job, 50 jobs": "in the hooks per job, 50 jobs, 50 keys: {}",
    "200 jobs": "in the hooks per job, 200 jobs, 50 keys: {}",
    "1,000 jobs": "in the hooks per job, 1,000 jobs, 50 keys: {}",
}


def figures() -> dict[str, float]:
    """What was measured, by the line's name."""
    return {what: float(figure.split()[0]) for what, figure, *_ in _rows()}


def update() -> None:
    """Copies the figures from `docs/benchmark.md` into the page."""
    measured = {what: figure for what, figure, *_ in _rows()}
    bounds = [(what, figure, bound, holds) for what, figure, _, bound, holds in _rows() if bound]
    lines = [
        f"| | {' | '.join(COLUMNS)} |",
        f"|---|{'---:|' * len(COLUMNS)}",
        *(f"| {name} | {' | '.join(measured.get(what.format(name), '') for what in COLUMNS.values())} |" for name in SHOWN),
        "",
        "<details><summary>Every bound that we hold ourselves to, as measured</summary>",
        "",
        "| | measured | at most | holds |",
        "|---|---:|---:|---|",
        *(f"| {' | '.join(row)} |" for row in bounds),
        "",
        "</details>",
    ]
    page = PROJECT / "docs" / "costs.md"
    before, _, rest = page.read_text("utf-8").partition(FIRST)
    _, _, after = rest.partition(LAST)
    page.write_text(f"{before}{FIRST}\n{chr(10).join(lines)}\n\n{LAST}{after}", "utf-8")


def _rows() -> list[list[str]]:
    lines = (PROJECT / "docs" / "benchmark.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in rows if row[0] != "what"]
