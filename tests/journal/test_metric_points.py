"""The points of a job's metrics: what is written is read, whatever became of the file, and attempts do not mix."""

import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import Fresh

from hydra_callback_kit.journal import metric_growth, metric_points
from hydra_callback_kit.journal.metric import Metric, as_fact, metrics_in
from hydra_callback_kit.journal.metric_points import Point, merged, metrics_of, points_of
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import from_json

TIME = "2026-01-01T00:00:00.000000+00:00"
NUMBERS = st.floats() | st.integers(-(10**300), 10**300)
STEPS = st.none() | st.integers(0, 9) | st.floats(0, 9)
VALUES = st.dictionaries(st.sampled_from(["loss", "val/loss", "Ünï\n", "NaN", ""]), NUMBERS, min_size=1)
REPORTS = st.lists(st.tuples(STEPS, VALUES), max_size=12)


def written(root: Path, *attempts: list[tuple[Any, dict[str, float]]]) -> JobRecord:
    """A job that has reported; each attempt has a name."""
    lines = [metric_points.head("20260101T000000-aa")]
    for number, reports in enumerate(attempts):
        lines += [metric_points.line(f"{number}/3/0", TIME, step, values) for step, values in reports]
    (root / metric_points.NAME).write_bytes(b"".join(lines))
    names = tuple(f"{number}/3/0" for number in range(len(attempts)))
    return JobRecord(3, "RUNNING", root=root, subdir=".", metrics_file=metric_points.NAME, reported_by=names)


def same(a: object, b: object) -> bool:
    """Whether two values are the same; NaN is."""
    return repr(a) == repr(b)


@given(reports=REPORTS)
def test_what_is_written_is_read(fresh: Fresh, reports: list[tuple[Any, dict[str, float]]]) -> None:
    """Any numbers under any names, in their order."""
    job = written(fresh("job"), reports)
    assert same([point[1:] for point in points_of(job)], reports)
    assert metric_points.owner_of(job.root / metric_points.NAME) == "20260101T000000-aa"


@given(reports=REPORTS)
def test_a_metric_is_what_its_values_say(reports: list[tuple[Any, dict[str, float]]]) -> None:
    """The last, the extremes with the first steps that had them, and how many; also once it was a fact."""
    metrics = metrics_of(Point(TIME, step, values) for step, values in reports)
    for name, metric in metrics.items():
        own = [(step, values[name]) for step, values in reports if name in values]
        known = [(step, value) for step, value in own if not math.isnan(value)] or own
        least, most = min(known, key=lambda each: each[1]), max(known, key=lambda each: each[1])
        if any(not math.isnan(value) for _, value in own):
            assert metric[2:6] == (least[1], least[0], most[1], most[0])
        assert same(metric[:2], own[-1][::-1])
        assert metric.points == len(own)
    assert same(metrics_in(from_json(as_fact(metrics))), {name: metrics[name] for name in metrics})


@pytest.mark.parametrize(
    "fact",
    [None, 3, [], {"loss": 0.3}, {"loss": {"last": 1}}, {"loss": {**Metric.of(1.0, 2)._asdict(), "last": "much"}}],
)
def test_a_fact_that_is_no_metric_is_none(fact: Any) -> None:
    """A damaged journal breaks no reader."""
    assert metrics_in(fact) == {}


@given(reports=REPORTS, seed=st.integers())
def test_whatever_became_of_its_bytes(fresh: Fresh, reports: list[tuple[Any, dict[str, float]]], seed: int) -> None:
    """A damaged line costs no other line."""
    job = written(fresh("job"), reports)
    file = job.root / metric_points.NAME
    lines = file.read_bytes().splitlines(keepends=True)
    chance = random.Random(seed)  # noqa: S311  a test's damage needs no secrecy
    damaged = chance.randrange(len(lines))
    torn = bytes(chance.randrange(256) for _ in range(20)).replace(b"\n", b"") + lines[damaged][chance.randrange(20) :]
    file.write_bytes(b"".join([*lines[:damaged], torn.rstrip(b"\n") + b"\n", *lines[damaged + 1 :]]))
    left = [report for place, report in enumerate(reports) if place + 1 != damaged]
    assert same([point[1:] for point in points_of(job)], left)


def test_an_attempt_that_goes_on_continues_the_curve_and_one_that_begins_again_replaces_it(tmp_path: Path) -> None:
    """What was reported beyond the step at which the next attempt goes on was lost with it."""
    first = [(step, {"loss": float(step)}) for step in range(10)] + [(0, {"val": 0.5})]
    goes_on = [(step, {"loss": step + 100.0}) for step in range(6, 9)]
    again = [(step, {"loss": step + 200.0}) for step in range(2)]

    def losses(*attempts: list[tuple[Any, dict[str, float]]]) -> list[tuple[Any, float]]:
        return [(step, values["loss"]) for _, step, values in points_of(written(tmp_path, *attempts)) if "loss" in values]

    assert losses(first, goes_on) == [*((step, float(step)) for step in range(6)), (6, 106.0), (7, 107.0), (8, 108.0)]
    assert losses(first, again) == losses(first, goes_on, again) == [(0, 200.0), (1, 201.0)]
    assert [values["val"] for _, _, values in points_of(written(tmp_path, first, goes_on)) if "val" in values] == [0.5]
    without_steps = [(None, {"loss": 7.0})]
    assert losses(first, without_steps) == [(None, 7.0)]
    assert losses(without_steps, again) == losses(again)


@given(attempts=st.lists(REPORTS, min_size=1, max_size=3), cuts=st.lists(st.integers(0, 3_000), max_size=4))
def test_it_grows_to_what_it_is(fresh: Fresh, attempts: list[list[tuple[Any, dict[str, float]]]], cuts: list[int]) -> None:
    """However often a file is looked at while it is written, in the middle of a line too."""
    job = written(fresh("job"), *attempts)
    file = job.root / metric_points.NAME
    content = file.read_bytes()
    metric_growth._of.clear()
    for cut in sorted(cuts):
        file.write_bytes(content[:cut])
        metric_growth.growth_of(job)
    file.write_bytes(content)
    growth = metric_growth.growth_of(job)
    assert growth is not None
    assert same(sorted(growth.metrics.items()), sorted(metrics_of(merged(metric_points.read(file))).items()))


def test_another_file_in_the_place_of_one_that_grew_is_read_from_its_beginning(tmp_path: Path) -> None:
    """A directory that is used again."""
    job = written(tmp_path, [(0, {"loss": 1.0})])
    metric_growth._of.clear()
    assert metric_growth.growth_of(job).metrics["loss"].last == 1.0
    file = tmp_path / metric_points.NAME
    lines = [metric_points.line("0/3/0", TIME, step, {"loss": 2.0}) for step in range(3)]
    file.write_bytes(metric_points.head("20260202T000000-bb") + b"".join(lines))
    assert metric_growth.growth_of(job).metrics["loss"] == Metric(2.0, 2, 2.0, 0, 2.0, 0, 3)


@given(values=st.lists(st.floats(-1e6, 1e6), max_size=1_000))
def test_a_curve_is_short_and_keeps_the_mean(values: list[float]) -> None:
    """It has its full length at most, and at least half of it once there are so many values."""
    curve = metric_growth.Curve()
    for value in values:
        curve.add(value)
    assert len(curve.values) < metric_growth.MOST
    assert len(curve.values) >= min(len(values), metric_growth.MOST // 2)
    if len(values) < metric_growth.MOST:
        assert curve.values == values


@given(values=st.lists(st.integers(-(2**20), 2**20), max_size=1_000))
def test_each_value_of_a_curve_is_the_mean_of_as_many_in_their_order(values: list[int]) -> None:
    """A power of two of them, one after another; of what is left over at the end there is no value yet."""
    curve = metric_growth.Curve()
    for value in values:
        curve.add(value)
    each = next(2**power for power in range(20) if len(values) // 2**power < metric_growth.MOST)
    whole = len(values) // each * each
    assert curve.values == [sum(values[at : at + each]) / each for at in range(0, whole, each)]


def test_points_of_other_attempts_are_none_of_the_jobs(tmp_path: Path) -> None:
    """Of another run in the directory, or of another job that shares it."""
    job = written(tmp_path, [(0, {"loss": 1.0})], [(0, {"loss": 2.0})], [(1, {"loss": 3.0})])
    job.reported_by = ("1/3/0",)
    metric_growth._of.clear()
    assert [point.values["loss"] for point in points_of(job)] == [2.0]
    assert metric_growth.growth_of(job).metrics["loss"] == Metric.of(2.0, 0)
    job.reported_by = ("0/3/0", "2/3/0")
    assert [point.values["loss"] for point in points_of(job)] == [1.0, 3.0]
    assert metric_growth.growth_of(job).metrics["loss"].points == 2


def test_what_lies_there_and_is_no_file_of_points(tmp_path: Path) -> None:
    """It has no owner and no points."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "text").write_text("loss: 3\n")
    for name in ("missing", "directory", "text"):
        assert metric_points.owner_of(tmp_path / name) is None
        assert not list(metric_points.read(tmp_path / name))
    assert list(points_of(JobRecord(0, "RUNNING", root=tmp_path, subdir="."))) == []
