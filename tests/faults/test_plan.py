"""The documentation shows the cells that there are."""

from faults.fault import FAULTS, LAUNCHERS
from faults.plan import PAGE, in_ci, with_cells


def test_the_page_shows_each_cell() -> None:
    """It is written anew by `PYTHONPATH=tests python tests/faults/plan.py`."""
    page = PAGE.read_text("utf-8")
    assert with_cells(page) == page


def test_every_row_has_a_cell_that_is_always_run_but_for_that_which_takes_minutes() -> None:
    """Else an error would be seen in the night only."""
    nightly = [
        fault.name for fault in FAULTS if not any(in_ci(fault, name) for name in LAUNCHERS if name not in fault.not_on)
    ]
    assert nightly == ["200 jobs on 8 workers"]
