"""Which cells of the matrix are run for every change, and which in the night, also as the documentation shows it."""

from pathlib import Path
from typing import Final

from faults.fault import ANOTHER_DISK, FAULTS, LAUNCHERS, Fault

PAGE: Final = Path(__file__).parents[2] / "docs" / "tested.md"

RAY_IN_CI: Final = {"ray": ("SIGKILL of a worker",), ANOTHER_DISK: ()}
"""A start of Ray takes ten seconds, of two nodes a minute: of these columns this is run wherever the tests of Ray are."""

FEW_JOBS = 10
"""More of them take minutes."""

SUBMITIT_IN_CI = ("the job raises", "SIGKILL of a worker", "SIGKILL of the parent")
"""A cell of submitit's waits for half a minute: beside these and those with ranks they are left to `.ci/faults`."""


def in_ci(fault: Fault, launcher: str) -> bool:
    """Whether a cell is run for every change; `.ci/nightly` runs them all."""
    if launcher in RAY_IN_CI:
        return fault.name in RAY_IN_CI[launcher]
    if len(fault.jobs) > FEW_JOBS:
        return False
    telling = launcher == "submitit_local" and (fault.ranks > 1 or fault.name in SUBMITIT_IN_CI)
    return telling or launcher in ("single run", "joblib")


def _word(fault: Fault, launcher: str) -> str:
    if launcher in fault.not_on:
        return "—"
    return "always" if in_ci(fault, launcher) else "nightly"


def with_cells(page: str) -> str:
    """The page of the documentation with a table of the cells between its two marks."""
    before, begin, rest = page.partition("<!-- matrix -->\n")
    _, end, after = rest.partition("<!-- end of matrix -->")
    rows = [["", *LAUNCHERS], ["---"] * (len(LAUNCHERS) + 1)]
    rows += [[fault.name, *(_word(fault, launcher) for launcher in LAUNCHERS)] for fault in FAULTS]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"{before}{begin}\n{table}\n{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_cells(PAGE.read_text("utf-8")), "utf-8")
