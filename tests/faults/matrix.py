"""The matrix that is printed at the end of a test run that had cells of it."""

from collections.abc import Sequence
from importlib.metadata import version

import hydra
import pytest
from faults.fault import FAULTS, LAUNCHERS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints a row for each fault and a column for each launcher, of the cells that this test run had."""
    notes: list[str] = []
    cells: dict[tuple[str, str], str] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            known = dict(getattr(report, "user_properties", ()))
            if "cell" in known and (report.when == "call" or outcome == "error"):
                word = "FAILED" if outcome != "passed" else "n/a" if "not_applicable" in known else "ok"
                cells[tuple(known["cell"])] = _noted(word, known.get("not_applicable") or known.get("note"), notes)
    if not cells:
        return
    launchers = [name for name in LAUNCHERS if any(launcher == name for _, launcher in cells)]
    for fault in FAULTS:
        for launcher, reason in fault.not_on.items():
            if launcher in launchers:
                cells[fault.name, launcher] = _noted("n/a", reason, notes)
    terminalreporter.section(f"fault matrix: Hydra {hydra.__version__}, joblib {version('joblib')}")
    rows = [[fault.name, *(cells.get((fault.name, launcher), "") for launcher in launchers)] for fault in FAULTS]
    for line in _aligned([["", *launchers], *rows]):
        terminalreporter.write_line(line)
    for number, note in enumerate(notes, start=1):
        terminalreporter.write_line(f"{number}) {note}")


def _noted(word: str, note: str | None, notes: list[str]) -> str:
    if note is None:
        return word
    if note not in notes:
        notes.append(note)
    return f"{word} {notes.index(note) + 1})"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
