"""The Pareto front on the report: a plot where there are two objectives."""

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from report_pages import a_run, data_of, job, page_of, sections_of

from hydra_callback_kit.cli import report_command
from hydra_callback_kit.journal.records import JobRecord


def jobs(*values: list[float]) -> list[JobRecord]:
    """A job for each list of numbers that one returned."""
    return [job(num, f"x={num}", value=value) for num, value in enumerate(values)]


def test_two_objectives_have_a_plot() -> None:
    """The places of their columns, and of the jobs on the front in the order of the first objective."""
    run = a_run(*jobs([2.0, 1.0], [1.0, 2.0], [2.0, 3.0], [0.0, 9.0]), facts={"directions": ["minimize", "minimize"]})
    page = page_of(run)
    data = data_of(page)
    assert data["front"] == {"metrics": [0, 1], "rows": [3, 1, 0]}
    assert 'aria-label="return_value.1 (min) against return_value.0 (min)"' in page
    other = data_of(page_of(run, metric="return_value.1"))
    names = [metric["name"] for metric in other["metrics"]]
    assert [names[place] for place in other["front"]["metrics"]] == ["return_value.0", "return_value.1"]


@pytest.mark.parametrize(
    ("values", "directions", "sections"),
    [
        ([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]], ["minimize"] * 3, True),
        ([1.0, 2.0], ["minimize"], False),
        ([[float("nan")] * 2] * 2, ["minimize"] * 2, False),
        ([["a", 1.0], ["b", 2.0]], ["minimize"] * 2, False),
    ],
)
def test_others_have_none(values: list[Any], directions: list[str], sections: bool) -> None:
    """Three objectives have their table alone, one has a best job; nothing is drawn of what is no number."""
    page = page_of(a_run(*jobs(*values), facts={"directions": directions}))
    assert data_of(page)["front"] is None
    assert ("front" in sections_of(page)) is sections
    assert "front-plot" not in page.partition("<main>")[2].partition("<script")[0]


def test_of_several_objectives_no_job_is_the_best() -> None:
    """Unless one of them is asked for; the jobs that no other beats come first."""
    run = a_run(
        *(job(num, f"x={num // 2}", f"seed={num % 2}", value=[num, -num]) for num in range(4)),
        facts={"directions": ["max", "max"]},
    )
    page = page_of(run, average_over=("seed",))
    assert not re.findall("Best (?:single )?(?:job|setting) <|of the best", page)
    assert "4 jobs</p>" in page
    assert sections_of(page)[:2] == ["summary", "front"]
    assert data_of(page)["ranked"] is False
    asked = page_of(run, metric="return_value.0")
    assert "Best job <" in asked
    assert data_of(asked)["ranked"] is True


def test_the_command_names_no_best_of_several_objectives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what `show` and `best` say, unless a metric is asked for."""
    run = a_run(*jobs([2.0, 1.0], [1.0, 2.0], [2.0, 3.0]), facts={"directions": ["minimize", "minimize"]})
    monkeypatch.setattr(report_command, "_together", lambda *_: run)
    for more, said in (
        ((), "3 jobs, 2 jobs that no other beats in all objectives"),
        (("--metric", "return_value.1"), "3 jobs, best by the smallest return_value.1"),
    ):
        ran = CliRunner().invoke(report_command.command, ["-o", str(tmp_path / "page.html"), *more])
        assert said in ran.output
