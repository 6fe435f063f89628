"""Curves over seeds: the mean at each step with its error, small however many points there are."""

import json
import math
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_pages import TIME, reported

from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.views.report.bands import MAX_BANDS, MAX_POINTS, Binned, band
from hydra_callback_kit.views.report.courses import MAX_LINES, courses_of


@given(seeds=st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=MAX_POINTS), min_size=1, max_size=5))
def test_few_steps_are_averaged_one_by_one(seeds: list[list[float]]) -> None:
    """Also where a seed stopped early: of each step the mean and the standard error over those that have it."""
    last = max(map(len, seeds)) - 1
    courses = [Binned(last) for _ in seeds]
    for course, values in zip(courses, seeds, strict=True):
        for step, value in enumerate(values):
            course.add(step, value)
    found = band([[course] for course in courses])
    assert found["x"] == list(range(last + 1))
    for step, (mean, error, count) in enumerate(zip(found["mean"], found["error"], found["count"], strict=True)):
        values = [seed[step] for seed in seeds if step < len(seed)]
        assert count == len(values)
        assert mean == pytest.approx(statistics.fmean(values), rel=1e-4, abs=1e-6)
        expected = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0
        assert error == pytest.approx(expected, rel=1e-2, abs=1e-6)


@given(steps=st.lists(st.integers(0, 10**9) | st.floats(allow_nan=True) | st.none(), min_size=1), last=st.floats(0, 1e9))
def test_any_steps_have_a_place(steps: list[float | None], last: float) -> None:
    """Steps that lie nowhere are left out; no order is assumed."""
    course = Binned(last)
    for step in steps:
        course.add(step, 1.0)
    json.dumps(band([[course]]), allow_nan=False)


def test_seeds_that_reported_at_other_steps_are_averaged_by_the_step() -> None:
    """Not by the number of the report: one began late."""
    early, late = Binned(9), Binned(9)
    for step in range(10):
        early.add(step, float(step))
        if step >= 5:
            late.add(step, float(step))
    found = band([[early], [late]])
    assert found["mean"] == list(range(10))
    assert found["error"] == [0] * 10
    assert found["count"] == [1] * 5 + [2] * 5


def test_many_points_make_few_places() -> None:
    """The course stays what it was."""
    course = Binned(99_999)
    for step in range(100_000):
        course.add(step, step / 100_000)
    found = band([[course]])
    assert len(found["x"]) == MAX_POINTS
    assert found["x"][0] == pytest.approx(249.5)
    assert found["mean"][-1] == pytest.approx(0.9975, rel=1e-4)


def test_settings_have_bands_of_their_completed_jobs(tmp_path: Path) -> None:
    """The best of them, with their jobs as lines; a metric that a setting has not reported is left out."""
    jobs = [
        reported(
            tmp_path, num, [Point(TIME, step, {"loss": 1.0 + num, **({"own": 2.0} if num < 2 else {})}) for step in (1, 2)]
        )
        for num in range(6)
    ]
    jobs[5] = replace(jobs[5], status="FAILED")
    settings = [("c", _seeds(4, 5)), ("b", _seeds(2, 3)), ("a", _seeds(0, 1))]
    courses = courses_of(jobs, "loss", settings)
    assert courses is not None
    loss, own = courses.metrics
    assert [(one["name"], one["row"], one["mean"], one["error"]) for one in loss["bands"]] == [
        ("c", 4, [5, 5], [0, 0]),
        ("b", 2, [3.5, 3.5], [0.5, 0.5]),
        ("a", 0, [1.5, 1.5], [0.5, 0.5]),
    ]
    assert [one["name"] for one in own["bands"]] == ["a"]
    assert [line["row"] for line in loss["lines"]] == [0, 1, 2, 3, 4]
    assert courses.settings == 3
    plain = courses_of(jobs, "loss")
    assert plain is not None
    assert (plain.settings, plain.metrics[0]["bands"], len(plain.metrics[0]["lines"])) == (0, [], 6)


def test_a_sweep_none_of_whose_settings_has_completed_has_its_lines(tmp_path: Path) -> None:
    """Those of all jobs."""
    points = [Point(TIME, step, {"loss": 1.0}) for step in range(2)]
    jobs = [replace(reported(tmp_path, num, points), status="RUNNING") for num in range(2)]
    courses = courses_of(jobs, None, [("a", _seeds(0, 1))])
    assert courses is not None
    assert (courses.settings, len(courses.metrics[0]["lines"])) == (0, 2)


def test_so_many_settings_and_jobs_at_most(tmp_path: Path) -> None:
    """The best settings; of one with many seeds as many as there is room for."""
    points = [Point(TIME, step, {"loss": 1.0}) for step in range(2)]
    jobs = [reported(tmp_path, num, points) for num in range(MAX_LINES + 10)]
    courses = courses_of(jobs, None, [(str(num), _seeds(num)) for num in range(len(jobs))])
    assert courses is not None
    assert [one["name"] for one in courses.metrics[0]["bands"]] == [str(num) for num in range(MAX_BANDS)]
    courses = courses_of(jobs, None, [("all", _seeds(*range(len(jobs)))), ("none", _seeds(0))])
    assert courses is not None
    assert [(one["name"], one["count"][0]) for one in courses.metrics[0]["bands"]] == [("all", MAX_LINES)]


def test_a_seed_that_was_given_twice_is_one_course(tmp_path: Path) -> None:
    """The mean of its jobs: it makes no band narrower."""
    jobs = [reported(tmp_path, num, [Point(TIME, step, {"loss": 1.0 + num}) for step in (0, 1)]) for num in range(3)]
    courses = courses_of(jobs, None, [("a", {0: "0", 1: "0", 2: "1"})])
    assert courses is not None
    band_of = courses.metrics[0]["bands"][0]
    assert (band_of["mean"], band_of["error"], band_of["count"]) == ([2.25] * 2, [0.75] * 2, [2, 2])


def _seeds(*rows: int) -> dict[int, str]:
    """Another one of each job."""
    return {row: str(row) for row in rows}
