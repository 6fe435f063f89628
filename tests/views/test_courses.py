"""The report's curves: thinned without losing a peak, and small however many points there are."""

import json
import math
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from report_pages import TIME, reported

from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.report.courses import MAX_LINES, MAX_METRICS, Thinned, courses_of


@given(values=st.lists(st.floats(), min_size=1, max_size=500), most=st.integers(2, 50))
def test_no_peak_is_lost(values: list[float], most: int) -> None:
    """Both extremes are kept, in their order, with few points more than asked for."""
    line = Thinned(len(values), most)
    for step, value in enumerate(values):
        line.add(step, value)
    kept = line.points()
    assert len(kept) <= most + 2
    assert [place for _, place, _ in kept] == sorted({place for _, place, _ in kept})
    assert all(values[place] == value or math.isnan(value) for _, place, value in kept)
    known = [value for value in values if not math.isnan(value)]
    if known:
        assert {min(known), max(known)} <= {value for _, _, value in kept}
    if len(values) <= most:
        assert len(kept) == len(values) or len(known) < len(values)


def test_100_jobs_of_10_000_steps_are_3_mb_at_most(tmp_path: Path) -> None:
    """The page gets no larger with more points; here 1,000 each stand for them."""
    jobs = [
        reported(tmp_path, num, [Point(TIME, step, {"loss": math.exp(-step / 300) + num / 1_000}) for step in range(1_000)])
        for num in range(MAX_LINES)
    ]
    courses = courses_of(jobs)
    assert courses is not None
    assert all(200 <= len(line["y"]) <= 302 for line in courses.metrics[0]["lines"])
    assert len(json.dumps(courses.metrics)) < 3_000_000


def test_which_jobs_and_metrics_have_lines(tmp_path: Path) -> None:
    """The metric that ranks comes first; more jobs than fit are spread over the sweep; a single value is no curve."""
    points = [Point(TIME, step, {"loss": 1.0 - step, **{f"m{i}": float(step) for i in range(15)}}) for step in range(2)]
    jobs = [reported(tmp_path, num, points) for num in range(MAX_LINES + 20)]
    jobs.append(reported(tmp_path, 900, [Point(TIME, None, {"once": 1.0})]))
    jobs.append(JobRecord(901, "COMPLETED"))
    courses = courses_of(jobs, "m7")
    assert courses is not None
    assert [metric["name"] for metric in courses.metrics][:2] == ["m7", "loss"]
    assert (len(courses.metrics), courses.left_out) == (MAX_METRICS, ["m11", "m12", "m13", "m14"])
    assert (courses.jobs, courses.of_jobs) == (MAX_LINES, MAX_LINES + 20)
    rows = [line["row"] for line in courses.metrics[0]["lines"]]
    assert (rows[0], len(set(rows)), rows[-1] > MAX_LINES) == (0, MAX_LINES, True)
    assert courses_of(jobs[-2:]) is None


def test_steps_and_numbers_that_json_has_not(tmp_path: Path) -> None:
    """Points without a step are numbered; NaN and infinities have names; a logarithmic axis where the values ask for one."""
    shrinking = [Point(TIME, step * 10, {"loss": 10.0**-step}) for step in range(5)]
    odd = [Point(TIME, None, {"odd": value}) for value in (math.inf, math.nan, 3)]
    courses = courses_of([reported(tmp_path, 0, shrinking), reported(tmp_path, 1, odd)])
    assert courses is not None
    loss, other = courses.metrics
    assert loss == {
        "name": "loss",
        "log": True,
        "steps": True,
        "lines": [{"row": 0, "x": [0, 10, 20, 30, 40], "y": [1, 0.1, 0.01, 0.001, 0.0001]}],
        "bands": [],
    }
    assert other["lines"] == [{"row": 1, "x": None, "y": ["Infinity", "NaN", 3]}]
    json.dumps(courses.metrics, allow_nan=False)


def test_values_that_plotly_has_no_axis_for_are_drawn_as_0(tmp_path: Path) -> None:
    """Likelihoods that underflow: plotly fails, and would draw nothing that comes after."""
    tiny = [Point(TIME, step, {"likelihood": 5e-324 * step}) for step in range(5)]
    courses = courses_of([reported(tmp_path, 0, tiny)])
    assert courses is not None
    assert courses.metrics[0]["lines"][0]["y"] == [0] * 5
