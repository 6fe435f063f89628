"""Several sweeps in one report: which sweep each job is of, where it lies, the best of each and of all."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_pages import ROOT, a_run, data_of, job, page_of

from hydra_callback_kit.journal.errors import JobError
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views.report.together import run_of, together

RANKING = {"metric": "acc", "mode": "max", "average_over": ["seed"], "rank_by": "mean"}


def a_sweep(name: str, *values: float, **more: Any) -> RunRecord:
    """A sweep over a model and two seeds, whose last job failed."""
    root = ROOT / name
    jobs = [
        job(num, f"m=x{num // 2}", f"seed={num % 2}", value={"acc": value}, root=root) for num, value in enumerate(values)
    ]
    error = JobError("ValueError", f"boom in {name}", "")
    jobs.append(job(len(values), "m=bad", "seed=0", status="FAILED", root=root, error=error))
    facts = {"job_name": "train", "ranking": RANKING}
    return replace(a_run(*jobs, facts=facts), root=root, run_id=f"20260101T000000-{name}", **more)


def test_each_job_says_of_which_sweep_it_is() -> None:
    """Numbers that both have are two jobs: each with its own link, error and setting."""
    run = together([a_sweep("a", 0.1, 0.2), a_sweep("b", 0.5, 0.7, 0.3, 0.3)])
    page = page_of(run)
    data = data_of(page)
    assert data["overrides"][0]["name"] == "sweep"
    assert data["overrides"][0]["texts"] == ["a", "b"]
    assert data["jobs"] == [0, 1, 2, 0, 1, 2, 3, 4]
    assert data["links"] == ["a/0", "a/1", "a/2", "b/0", "b/1", "b/2", "b/3", "b/4"]
    told = [data["headlines"][group] for group in data["errors"] if group >= 0]
    assert told == ["ValueError: boom in a", "ValueError: boom in b"]
    assert [(one["name"], one["of"]) for one in data["settings"]["shown"]] == [
        ("sweep=b m=x0", 1),
        ("sweep=b m=x1", 1),
        ("sweep=a m=x0", 0),
    ]
    assert "<td>a</td><td>2 completed, 1 failed</td><td>m=x0: 0.15 ± 0.05</td>" in page
    assert "<td>b</td><td>4 completed, 1 failed</td><td>m=x0: 0.60 ± 0.10</td>" in page
    assert "2 sweeps" in page
    assert run_of(run, run.jobs[-1]).run_id == "20260101T000000-b"


def test_the_best_job_of_each_is_named_where_jobs_are_ranked_one_by_one() -> None:
    """With what sets it apart in its sweep; a cut of the table keeps the best, whose number others have as well."""
    run = together([a_sweep("a", 0.1, 0.2), a_sweep("b", 0.5, 0.7)])
    page = page_of(run, average_over=(), max_table_rows=2)
    assert "<td>job 1, m=x0 seed=1: 0.7</td>" in page
    data = data_of(page)
    assert (data["jobs"][-1], data["links"][-1]) == (1, "b/1")


@pytest.mark.parametrize(
    ("roots", "names"),
    [
        (["x/1", "x/2"], ["'1'", "'2'"]),
        (["x/2026-01-01/10-00-00", "y/2026-01-01/10-00-00"], ["x/2026-01-01/10-00-00", "y/2026-01-01/10-00-00"]),
        (["a b,c", "a'"], ["'a b,c'", r"'a\''"]),
        (["x", "x/y"], ["x", "y"]),
    ],
)
def test_names_are_short_and_no_numbers(roots: list[str], names: list[str]) -> None:
    """Relative to what they have in common."""
    runs = [replace(a_sweep("s", 0.1), root=Path("/") / root) for root in roots]
    texts = list(dict.fromkeys(one.task_overrides[0].removeprefix("sweep=") for one in together(runs).jobs))
    assert texts == names


def test_what_is_said_of_all_of_them() -> None:
    """What is the same in all; the worst status; an app's own override `sweep` stays what it is; one run stays as it is."""
    a, b = a_sweep("a", 0.1), a_sweep("b", 0.2, status="RUNNING")
    assert together([a]) is a
    both = together([a, b])
    assert (both.status, both.facts) == ("RUNNING", {"job_name": "train", "ranking": RANKING})
    other = replace(b, facts={"job_name": "other"})
    assert together([a, other]).facts == {"ranking": RANKING}
    kept = {"kept_by": {"metric": "acc", "mode": "max"}}
    assert together([replace(a, facts=kept), replace(b, facts=kept)]).facts == kept
    own = replace(a, jobs=(job(0, "sweep=mine", value=1.0, root=a.root),))
    assert together([own, b]).jobs[0].task_overrides == ("report.sweep=a", "sweep=mine")
    assert "b: It still runs." in page_of(both)
    assert "Metrics are: acc." in page_of(both, metric="nope")
