"""Settings over seeds: which one is the best, by what, and how that is said."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.figures import figures, in_words
from hydra_callback_kit.views.setting_ranking import (
    RANK_BY,
    best_setting,
    ranked_settings,
    seeds_in_words,
    setting_in_words,
    settings_text,
    varied_in_settings,
)
from hydra_callback_kit.views.settings import Setting, settings_of, settings_table

NAN = math.nan


def sweep(**values: list[float | None]) -> list[JobRecord]:
    """Jobs of a setting each name, a seed each value; None for one that failed."""
    return [
        JobRecord(
            num,
            "COMPLETED" if value is not None else "FAILED",
            (f"model={name}", f"seed={seed}", "epochs=3"),
            return_value=value and {"acc": value},
        )
        for num, (name, seed, value) in enumerate(
            (name, seed, value) for name, of_seeds in values.items() for seed, value in enumerate(of_seeds)
        )
    ]


def names(settings: list[Setting]) -> list[str]:
    """Which models they are."""
    return [str(setting.overrides["model"]) for setting in settings]


SWEEP = sweep(lucky=[0.99, 0.5, 0.4], steady=[0.8, 0.82, 0.81], single=[0.9], broken=[None, None], odd=[0.99, NAN, 0.99])


@pytest.mark.parametrize(
    ("rank_by", "mode", "order"),
    [
        ("mean", "max", ["single", "steady", "lucky", "odd", "broken"]),
        ("mean", "min", ["lucky", "steady", "single", "odd", "broken"]),
        ("median", "max", ["single", "steady", "lucky", "odd", "broken"]),
        ("max", "max", ["lucky", "single", "steady", "odd", "broken"]),
        ("min", "max", ["single", "steady", "lucky", "odd", "broken"]),
        ("lower_bound", "max", ["steady", "lucky", "odd", "single", "broken"]),
        ("lower_bound", "min", ["lucky", "steady", "odd", "single", "broken"]),
    ],
)
def test_by_what_settings_are_ranked(rank_by, mode, order) -> None:  # type: ignore[no-untyped-def]  # words that types name
    """The best single job is in none of the best settings; NaN, what cannot be ranked and what never completed come last."""
    settings = settings_of(SWEEP, ["seed"])
    assert names(ranked_settings(settings, "acc", mode, rank_by)) == order
    best = best_setting(settings, "acc", mode, rank_by)
    assert best is not None
    assert names([best]) == order[:1]


def test_nothing_can_be_ranked() -> None:
    """Where the metric is not there, is NaN, or has no error."""
    assert best_setting(settings_of(SWEEP, ["seed"]), "nope") is None
    assert best_setting(settings_of(sweep(a=[NAN]), ["seed"]), "acc") is None
    assert best_setting(settings_of(sweep(a=[1.0]), ["seed"]), "acc", "max", "lower_bound") is None
    assert best_setting([], "acc") is None


def test_the_table_marks_who_has_fewer_seeds() -> None:
    """And says what they differ in alone."""
    settings = settings_of(SWEEP, ["seed"])
    assert varied_in_settings(settings) == ["model"]
    assert [seeds_in_words(setting, 3, "acc") for setting in settings] == ["3", "3", "1 of 3", "0 of 3", "3"]
    assert setting_in_words(settings[0], ["model"]) == "model=lucky"
    assert setting_in_words(settings[0], []) == "model=lucky epochs=3"
    lines = settings_text(settings, "acc", "max", "lower_bound", top_k=3).splitlines()
    assert lines[0] == "| seeds | acc (mean ± standard error) | lower_bound | overrides    |"
    assert lines[2] == "| 3     | 0.810 ± 0.006               |    0.804226 | model=steady |"
    assert len(lines) == 5
    assert "1 of 3 | 0.9  " in settings_text(settings, "acc")


@pytest.mark.parametrize(
    ("mean", "error", "said"),
    [
        (0.98123, 0.00412, "0.981 ± 0.004"),
        (0.98123, 0.0137, "0.981 ± 0.014"),
        (0.98123, 0.0096, "0.981 ± 0.010"),
        (1234.5, 21.7, "1230 ± 20"),
        (1234.5, 0.0, "1234.5 ± 0"),
        (0.5, None, "0.5"),
        (-0.0312, 0.2, "0.0 ± 0.2"),
        (NAN, NAN, "nan ± nan"),
        (1.0, math.inf, "1 ± inf"),
        (1e-20, 3e-22, "1e-20 ± 3e-22"),
        (3e30, 4e20, "3e+30 ± 4e+20"),
    ],
)
def test_a_mean_is_rounded_by_its_error(mean: float, error: float | None, said: str) -> None:
    """One digit of the error, two where the first is a 1; the mean with as many decimals."""
    assert in_words(mean, error) == said


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_figures_do_not_depend_on_the_order(values: list[float], order: random.Random) -> None:
    """And lie where they must."""
    known = figures(values)
    shuffled = values[:]
    order.shuffle(shuffled)
    assert figures(shuffled).as_row() == pytest.approx(known.as_row())
    assert known.min <= known.median <= known.max
    assert known.min - 1e-6 <= known.mean <= known.max + 1e-6
    assert (known.std is None) == (known.stderr is None) == (len(values) == 1)
    if known.std is not None:
        assert known.stderr == pytest.approx(known.std / len(values) ** 0.5)


def test_every_word_to_rank_by_is_a_figure_or_a_bound() -> None:
    """What users may type is what there is."""
    known = figures([1.0, 2.0]).as_row()
    assert [word for word in RANK_BY if word not in known] == ["lower_bound"]


def _repeated(**values: dict[int, list[float | None]]) -> list[JobRecord]:
    """Jobs of a setting each name, with several of a seed."""
    each = [(name, seed, value) for name, seeds in values.items() for seed, found in seeds.items() for value in found]
    return [
        JobRecord(
            num,
            "COMPLETED" if value is not None else "FAILED",
            (f"model={name}", f"{'+' * (num % 2)}seed={seed}"),
            return_value=value and {"acc": value},
        )
        for num, (name, seed, value) in enumerate(each)
    ]


def test_a_seed_that_was_given_twice_is_one_sample() -> None:
    """The mean of its jobs is: twice the same makes no error known, nor a smaller one, and weighs no more."""
    jobs = _repeated(
        lucky={0: [0.95, 0.95], 1: [None]}, good={0: [0.9, 0.9], 1: [0.92, 0.92], 2: [0.91]}, odd={0: [0.5, 0.7], 1: [0.8]}
    )
    settings = settings_of(jobs, ["seed"])
    assert names(ranked_settings(settings, "acc", "max", "lower_bound")) == ["good", "odd", "lucky"]
    lucky, good, odd = (setting.figures("acc") for setting in settings)
    assert lucky is not None
    assert (lucky.count, lucky.stderr) == (1, None)
    assert good == figures([0.9, 0.92, 0.91])
    assert odd == figures([0.6, 0.8])
    assert [row["metrics"]["return_value.acc"] for row in settings_table(jobs, ["seed"]).nested()] == [
        each.as_row() for each in (lucky, good, odd) if each
    ]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.integers(1, 3))
def test_the_same_again_changes_nothing(values: list[float], times: int) -> None:
    """However often all seeds are run again with the same result."""
    found = [each.figures("acc") for n in (1, times) for each in settings_of(_repeated(m=_again(values, n)), ["seed"])]
    assert found[0] == found[1]


def _again(values: list[float], times: int) -> dict[int, list[float | None]]:
    return {seed: [value or 1.0] * times for seed, value in enumerate(values)}
