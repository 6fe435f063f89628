"""Paired comparison: which jobs are pairs, what the differences come to, and Student's t."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.paired import difference, paired
from hydra_callback_kit.views.pairs import Pair, Pairs, Side, pairs_of, varied_in_pairs, what_sets_apart
from hydra_callback_kit.views.student import t_quantile

NAN = math.nan


def side(*jobs: tuple[str, float | None], first: int = 0) -> Side:
    """Jobs with these overrides and values; None for one that failed."""
    return Side(
        "side",
        [
            JobRecord(
                num,
                "FAILED" if value is None else "COMPLETED",
                tuple(words.split()),
                None if value is None else {"acc": value},
            )
            for num, (words, value) in enumerate(jobs, first)
        ],
    )


def pairs(*values: tuple[float, float]) -> list[Pair]:
    """Pairs of these values."""
    return [Pair({}, one, other, (), ()) for one, other in values]


def numbers(found: Pairs) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Which jobs each pair is of."""
    return [(pair.first_jobs, pair.second_jobs) for pair in found.pairs]


@pytest.mark.parametrize(
    ("confidence", "degrees", "quantile"),  # from printed tables
    [
        (0.95, 1, 12.7062047364),
        (0.95, 2, 4.3026527297),
        (0.95, 3, 3.1824463053),
        (0.95, 4, 2.7764451052),
        (0.95, 9, 2.2621571628),
        (0.95, 10, 2.2281388520),
        (0.95, 29, 2.0452296421),
        (0.95, 30, 2.0422724563),
        (0.95, 100, 1.9839715185),
        (0.95, 1000, 1.9623390808),
        (0.95, 1_000_000, 1.9599663566),
        (0.9, 5, 2.0150483733),
        (0.99, 5, 4.0321429836),
        (0.999, 1, 636.6192487688),
        (0.5, 1, 1.0),
    ],
)
def test_the_quantile_is_that_of_the_tables(confidence: float, degrees: int, quantile: float) -> None:
    """For few numbers and for many."""
    assert t_quantile(confidence, degrees) == pytest.approx(quantile, rel=1e-8)


@given(st.floats(0.01, 0.999), st.integers(1, 5000))
def test_more_numbers_make_it_narrower_and_more_confidence_wider(confidence: float, degrees: int) -> None:
    """And two degrees of freedom have a formula of their own."""
    here = t_quantile(confidence, degrees)
    assert t_quantile(confidence, degrees + 1) <= here * (1 + 1e-12)
    assert t_quantile((1 + confidence) / 2, degrees) > here > 0
    assert t_quantile(confidence, 2) == pytest.approx(confidence * math.sqrt(2 / (1 - confidence**2)), rel=1e-9)


def test_an_interval_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, standard error 1/sqrt(3), two degrees of freedom."""
    found = paired(pairs((2, 1), (4, 2), (6, 3)), "max")
    reach = 4.3026527297 / math.sqrt(3)
    assert found.interval == pytest.approx((2 - reach, 2 + reach))
    assert (found.wins, found.ties, found.losses) == (3, 0, 0)
    assert found.better("max") == "neither"
    assert paired(pairs((2, 1), (2, 2), (3, 9)), "min").as_row()["wins"] == 1


def test_one_pair_has_no_interval() -> None:
    """And says nothing of which is better."""
    found = paired(pairs((2, 1)), "max")
    assert (found.interval, found.better("max"), found.wins) == (None, "neither", 1)


@pytest.mark.parametrize("odd", [(NAN, 1.0), (1.0, NAN), (math.inf, math.inf)])
def test_what_is_no_number_shows(odd: tuple[float, float]) -> None:
    """It is neither a win nor a loss, and there is no mean."""
    found = paired(pairs((2, 1), odd), "max")
    assert math.isnan(found.figures.mean)
    assert (found.wins, found.ties, found.losses, found.better("max")) == (1, 0, 0, "neither")
    assert (found.incomparable, found.interval) == (1, None)


def test_differences_are_those_of_the_numbers_as_written() -> None:
    """No noise of binary fractions makes equals differ."""
    assert difference(0.83, 0.82) == 0.01
    assert difference(0.3, 0.1) == 0.2
    assert paired(pairs((0.83, 0.82), (0.3, 0.29)), "max").figures.std == 0


FLOATS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=20))
def test_the_sides_may_be_exchanged(values: list[tuple[float, float]]) -> None:
    """What one wins the other loses, and the interval is turned round."""
    one = paired(pairs(*values), "max")
    other = paired(pairs(*((b, a) for a, b in values)), "max")
    assert (one.wins, one.ties, one.losses) == (other.losses, other.ties, other.wins)
    assert one.wins + one.ties + one.losses == len(values)
    assert one.figures.mean == pytest.approx(-other.figures.mean, abs=1e-6)
    assert {"first": "second", "second": "first", "neither": "neither"}[one.better("max")] == other.better("max")
    assert one.better("min") == other.better("max")
    if one.interval is not None:
        assert one.interval[0] <= one.figures.mean <= one.interval[1]


def test_a_pair_is_two_jobs_whose_other_overrides_are_equal() -> None:
    """Values are compared, not how they are written; what is in no pair is named, with the reason."""
    first = side(("m=a seed=1", 1.0), ("m=a seed=2", 2.0), ("m=a seed=3", None), ("m=a seed=4", 4.0), ("m=a seed=5", 5.0))
    second = side(("m=b seed=2", 3.0), ("m=b +seed=1", 1.5), ("m=b seed=3", 1.0), ("m=b seed=5", None), first=10)
    assert what_sets_apart([first, second]) == {"m": ("a", "b")}
    found = pairs_of(first, second, "acc", apart=["m"])
    assert numbers(found) == [((0,), (11,)), ((1,), (10,))]
    assert [pair.overrides for pair in found.pairs] == [{"seed": 1}, {"seed": 2}]
    assert {(each.side, each.job.job_num, each.why) for each in found.alone} == {
        (0, 2, "no metric"),
        (1, 12, "partner has no metric"),
        (0, 3, "no partner"),
        (0, 4, "partner has no metric"),
        (1, 13, "no metric"),
    }
    assert varied_in_pairs(found.pairs) == ["seed"]
    assert not found.repeated


def test_the_same_seed_twice_is_one_pair() -> None:
    """Of the means: two jobs of one seed are no two seeds."""
    found = pairs_of(side(("seed=1", 1.0), ("seed=1", 3.0)), side(("seed=1", 1.0)), "acc", apart=[])
    assert [(pair.first, pair.second) for pair in found.pairs] == [(2.0, 1.0)]
    assert numbers(found) == [((0, 1), (0,))]
    assert found.repeated


def test_means_are_over_what_both_have() -> None:
    """A seed that one of them lacks is in neither mean."""
    first = side(("d=x seed=1", 1.0), ("d=x seed=2", 2.0), ("d=y seed=1", 5.0))
    second = side(("d=x seed=1", 0.0), ("d=y seed=1", 1.0), ("d=y seed=2", 9.0))
    found = pairs_of(first, second, "acc", apart=[], over=["seed"])
    assert [(pair.overrides, pair.first, pair.second) for pair in found.pairs] == [
        ({"d": "x"}, 1.0, 0.0),
        ({"d": "y"}, 5.0, 1.0),
    ]
    assert [(each.side, each.job.job_num) for each in found.alone] == [(0, 1), (1, 2)]


def test_what_varies_within_a_side_does_not_set_them_apart() -> None:
    """An override that only one of them was given does."""
    first, second = side(("lr=1 extra=3", 1.0), ("lr=2 extra=3", 1.0)), side(("lr=1", 1.0))
    assert what_sets_apart([first, second]) == {"extra": (3, None)}
    assert what_sets_apart([first, Side("empty", [])]) == {}
