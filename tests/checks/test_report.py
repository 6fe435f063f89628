"""The message: one screen, whatever is wrong with however many jobs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_callback_kit.checks.duplicates import duplicates
from hydra_callback_kit.checks.report import InvalidJob, report
from hydra_callback_kit.checks.violation import Violation

violations = st.builds(
    Violation, st.sampled_from(["", "a", "b.c"]) | st.text(), st.text(max_size=30), st.integers() | st.text() | st.none()
)


@settings(max_examples=60)
@given(st.lists(st.lists(violations, min_size=1, max_size=30), min_size=1, max_size=40))
def test_it_fits_one_screen_and_counts_what_it_leaves_out(found: list[list[Violation]]) -> None:
    """At most 40 lines; the first says how many violations there are in how many jobs."""
    jobs = [InvalidJob(num, ["x=1" * 100], of_job) for num, of_job in enumerate(found)]
    kinds = len({(violation.key, violation.problem) for of_job in found for violation in of_job})
    text = report("Not started", jobs, 50)
    assert text.startswith(f"Not started: {kinds} violation")
    assert f"in {len(jobs)} of 50 jobs" in text
    lines = text.split("\n")
    assert (f"and {kinds - 10} more violation" in lines[-1]) == (kinds > 10)


def test_the_same_violation_of_many_jobs_is_said_once() -> None:
    """Three jobs with their overrides, the others by number."""
    wrong = Violation("lr", "must be more than 0", -1)
    jobs = [InvalidJob(num, ["lr=-1", f"seed={num}"], [wrong]) for num in [*range(100, 200), 300]]
    lines = report("Not started", jobs, 400).splitlines()
    assert lines == [
        "Not started: 1 violation in 101 of 400 jobs",
        "  lr = -1: must be more than 0",
        "    job 100 (lr=-1 seed=100)",
        "    job 101 (lr=-1 seed=101)",
        "    job 102 (lr=-1 seed=102)",
        "    and 98 more jobs: 103-199, 300",
    ]


def test_different_values_of_one_problem_are_one_group() -> None:
    """Each job then shows its own value."""
    jobs = [InvalidJob(num, [f"x={num}"], [Violation("x", "is too large", num)]) for num in (7, 8)]
    assert report("Not started", jobs, 9).splitlines()[1:] == [
        "  x is too large",
        "    job 7 (x=7): 7",
        "    job 8 (x=8): 8",
    ]


def test_a_single_run_needs_no_job_numbers() -> None:
    """One line a violation."""
    text = report("The run was not started", [InvalidJob(None, [], [Violation("", "fits none", {"a": "x" * 500})])])
    first, second = text.splitlines()
    assert first == "The run was not started: 1 violation"
    assert len(second) < 120


def test_duplicates_are_jobs_whose_overrides_mean_the_same() -> None:
    """Quotes and order make no difference, the type does."""
    jobs = [["x=a", "y=1"], ["x='a'", "y=1"], ["y=1", "x=a"], ["x=a", "y=1.0"], ["x=a", "y=1"]]
    assert duplicates(jobs) == {1: 0, 2: 0, 4: 0}
