"""How much each override explains: what no other does, whichever combinations the sweep has tried."""

import math
import random
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_pages import a_run, data_of, job, page_of

from hydra_callback_kit.views.report.charts import override_axis
from hydra_callback_kit.views.report.columns import columns_of
from hydra_callback_kit.views.report.importance import MAX_BINS, TOGETHER, shares


def explained(rows: Sequence[tuple[dict[str, Any], Any]]) -> dict[str, float | None]:
    """The shares of the overrides of some jobs, which have returned these values."""
    jobs = [
        job(num, *(f"{key}={value}" for key, value in overrides.items()), value=value)
        for num, (overrides, value) in enumerate(rows)
    ]
    found = columns_of(jobs)
    if not found.metrics:  # it does not vary: there is nothing to explain
        return {}
    (of_each,) = shares(found.overrides, [override_axis(column) for column in found.overrides], found.metrics)
    return dict(zip((column.key for column in found.overrides), of_each, strict=True))


def unbalanced(chance: random.Random, jobs: int, values: int, together: float, noise: float) -> list[Any]:
    """A sweep in which one override matters, and another one was mostly chosen along with it."""
    rows = []
    for num in range(jobs):
        real = num % values
        along = real if chance.random() < together and num >= values else (real + chance.randrange(1, values)) % values
        rows.append(({"real": f"r{real}", "along": f"a{along}"}, real * real + noise * chance.gauss(0, 1)))
    return rows


def alone(rows: Sequence[tuple[dict[str, Any], Any]], key: str) -> float:
    """The share of the variance between the values of an override, whatever else changed along with them."""
    groups: dict[Any, list[float]] = {}
    for overrides, value in rows:
        groups.setdefault(overrides[key], []).append(value)
    values = [value for _, value in rows]
    inside = sum(len(group) * statistics.pvariance(group) for group in groups.values())
    return 1 - inside / (len(values) * statistics.pvariance(values))


@given(chance=st.randoms(use_true_random=False), jobs=st.integers(20, 40), values=st.integers(2, 4), part=st.floats(0, 0.9))
def test_an_override_that_came_along_with_the_one_that_matters_has_no_credit(
    chance: random.Random, jobs: int, values: int, part: float
) -> None:
    """Whatever combinations were tried: what explains nothing by itself has nothing, and is never before the other one."""
    found = explained(unbalanced(chance, jobs, values, part, noise=0))
    along, real = found["along"], found["real"]
    assert along == TOGETHER or along == pytest.approx(0, abs=1e-6)
    assert along == real == TOGETHER or (real is not None and real > 1e-3)


def test_nor_has_it_where_the_metric_is_noisy() -> None:
    """Taken alone it explains much of the metric; looked at over many sweeps."""
    chance = random.Random(2)  # noqa: S311  no secret
    sweeps = [unbalanced(chance, 90, 3, 0.85, noise=0.5) for _ in range(30)]
    assert statistics.fmean(alone(rows, "along") for rows in sweeps) > 0.4
    assert statistics.fmean(explained(rows)["along"] or 0 for rows in sweeps) < 0.01
    assert statistics.fmean(explained(rows)["real"] or 0 for rows in sweeps) > 0.1


def test_it_is_what_least_squares_says() -> None:
    """By numpy: what the fit of all loses without one of them, less what as many random columns would explain."""
    chance = random.Random(3)  # noqa: S311  no secret
    rows = []
    for _ in range(80):
        a, b, c = chance.randrange(3), chance.randrange(4), chance.randrange(2)
        rows.append(({"a": f"x{a}", "b": f"y{b}", "c": f"z{c}"}, a + 0.5 * b * b + chance.gauss(0, 1)))
    found = explained(rows)
    y = np.array([value for _, value in rows])

    def fit(keys: str) -> tuple[float, int]:
        columns = [np.ones(len(rows))]
        for key in keys:
            values = {each[key] for each, _ in rows}
            columns += [np.array([float(each[key] == value) for each, _ in rows]) for value in values]
        design = np.stack(columns, axis=1)
        solution = np.linalg.lstsq(design, y, rcond=None)[0]
        return float(((y - design @ solution) ** 2).sum()), int(np.linalg.matrix_rank(design))

    total = float(((y - y.mean()) ** 2).sum())
    left, rank = fit("abc")
    for key in "abc":
        without, its_rank = fit("abc".replace(key, ""))
        by_chance = (rank - its_rank) * left / (len(rows) - rank)
        assert found[key] == pytest.approx(max(0, without - left - by_chance) / total, abs=1e-9)


def test_what_always_changed_together_cannot_be_told_apart() -> None:
    """It is said of both; a third one is told."""
    rows = [({"a": f"x{num % 3}", "b": f"y{num % 3}", "c": num % 2}, num % 3 + 10.0 * (num % 2)) for num in range(24)]
    found = explained(rows)
    assert (found["a"], found["b"]) == (TOGETHER, TOGETHER)
    assert found["c"] == pytest.approx(1 - (2 / 3) / (2 / 3 + 25))
    page = page_of(a_run(*(job(num, *(f"{k}={v}" for k, v in o.items()), value=v_) for num, (o, v_) in enumerate(rows))))
    assert data_of(page)["metrics"][0]["shares"][:2] == [-1, -1]


def test_a_number_with_many_values_is_cut_into_stretches() -> None:
    """A random search: the one that matters is found, whatever its scale."""
    chance = random.Random(4)  # noqa: S311  no secret
    points = [(10 ** chance.uniform(-5, 0), chance.random()) for _ in range(200)]
    found = explained([({"lr": lr, "dropout": rate}, math.log10(lr) ** 2) for lr, rate in points])
    assert found["lr"] is not None
    assert found["lr"] > 0.9
    assert found["dropout"] == pytest.approx(0, abs=0.05)
    assert len(set(points)) > 10 * MAX_BINS


@pytest.mark.parametrize(
    "rows",
    [
        [({"x": 1}, 1.0), ({"x": 2}, 2.0)],
        [({"x": num, "y": -num}, float(num)) for num in range(3)],
        [({"x": num}, 1.0) for num in range(20)],
        [({"x": num}, math.nan) for num in range(20)],
        [({"x": num}, math.inf) for num in range(20)],
        [({"x": f"n{num}"}, float(num)) for num in range(39)],
        [({"x": num % 2}, 1e308 if num % 2 else -1e308) for num in range(20)],
        [({"x": num % 2}, 5e-324 * (num % 3)) for num in range(20)],
        [({"x": num % 2}, 1.0 + 1e-16 * num) for num in range(20)],
        [({"x": num % 2} if num % 3 else {"y": "a"}, float(num % 2)) for num in range(20)],
    ],
)
def test_nothing_is_claimed_that_cannot_be_known(rows: list[tuple[dict[str, Any], float]]) -> None:
    """Too few jobs, values that do not vary or are no numbers, a value a job, the largest and smallest numbers."""
    for share in explained(rows).values():
        assert share is None or share == TOGETHER or 0 <= share <= 1 + 1e-9


def test_metrics_that_other_jobs_have_are_fitted_by_themselves() -> None:
    """Each over the jobs that have it."""
    values = [{"one": num % 2, **({"two": num // 2 % 2} if num < 30 else {})} for num in range(40)]
    jobs = [job(num, f"a=x{num % 2}", f"b=y{num // 2 % 2}", value=value) for num, value in enumerate(values)]
    found = columns_of(jobs)
    one, two = shares(found.overrides, [override_axis(column) for column in found.overrides], found.metrics)
    assert one == pytest.approx([1, 0])
    assert two == pytest.approx([0, 1], abs=0.01)


def test_ten_thousand_jobs_take_a_moment() -> None:
    """Also with as many overrides and values as there may be."""
    chance = random.Random(5)  # noqa: S311  no secret
    jobs = [
        job(num, *(f"k{key}={chance.random()}" for key in range(10)), value={f"m{i}": chance.random() for i in range(3)})
        for num in range(10_000)
    ]
    found = columns_of(jobs)
    axes = [override_axis(column) for column in found.overrides]
    began = time.perf_counter()
    shares(found.overrides, axes, found.metrics)
    assert time.perf_counter() - began < 5  # 0.6 s where nothing else runs
