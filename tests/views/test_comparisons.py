"""Comparisons: what is read from a text, and of which jobs they hold."""

import contextlib
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views.comparisons import OPERATORS, ComparisonError, comparison, unknown_name

NAMES = st.text("abz_./-@ :é", min_size=1).filter(lambda text: bool(text.strip().lstrip("+")))
NUMBERS = st.one_of(st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False))


def job(*overrides: str, returned: object = None, **facts: object) -> JobRecord:
    """A job that has completed."""
    return JobRecord(0, "COMPLETED", overrides, returned, facts=facts)


@given(NAMES, st.sampled_from(sorted(OPERATORS)), NUMBERS, NUMBERS, st.sampled_from(["", " "]))
def test_numbers_compare_as_in_python(name: str, sign: str, wanted: float, given_: float, space: str) -> None:
    """Whatever a metric is called, and with blanks or without."""
    asked = comparison(f"{name}{space}{sign}{space}{wanted!r}")
    assert (asked.name, asked.sign, asked.value) == (name.strip(), sign, wanted)
    assert asked.holds(job(returned={name.strip(): given_})) is OPERATORS[sign](given_, wanted)
    assert not asked.holds(job())


@given(st.text())
def test_no_text_does_anything_else(text: str) -> None:
    """A text is a comparison, or it is refused with what to write; nothing else comes of it."""
    with contextlib.suppress(ComparisonError):
        asked = comparison(text)
        assert asked.sign in OPERATORS
        asked.holds(job("x=1", returned={"x": 1.0}))


@pytest.mark.parametrize("text", ["__import__('os').mkdir('made')=1", "x=__import__('os').mkdir('made')", "x=${env:HOME}"])
def test_nothing_is_evaluated(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code and interpolations are texts."""
    monkeypatch.chdir(tmp_path)
    assert not comparison(text).holds(job("x=1"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("model=cnn", True),
        ("model!=cnn", False),
        ("+model = 'cnn'", True),
        ("overrides.model=mlp", False),
        ("lr=0.10", True),
        ("lr<=1e-1", True),
        ("lr='0.1'", False),
        ("seed=3", True),
        ("seed=3.0", True),
        ("seed!=true", True),
        ("flag=true", True),
        ("flag=1", False),
        ("layers=[1,2]", True),
        ("layers!=[2,1]", True),
        ("none=null", True),
        ("accuracy>0.9", True),
        ("return_value.accuracy>=0.95", True),
        ("loss=nan", True),
        ("loss!=nan", False),
        ("loss<1", False),
        ("params>=1000", True),
        ("facts.params<1000", False),
        ("seed=5", False),  # the override counts before the metric
        ("return_value.seed=5", True),
        ("missing!=1", False),
    ],
)
def test_values_are_typed_as_in_overrides(text: str, *, holds: bool) -> None:
    """Texts, numbers, booleans, lists and null are different things; NaN is found by its name."""
    overrides = ("model=cnn", "lr=0.1", "+seed=3", "flag=true", "layers=[1,2]", "none=null")
    returned = {"accuracy": 0.95, "loss": math.nan, "seed": 5}
    assert comparison(text).holds(job(*overrides, returned=returned, params=1000)) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accuracy", "'accuracy' compares nothing. Write it with a value, in quotes: 'accuracy>0.9'."),
        ("", "'' compares nothing."),
        ("accuracy==0.9", "Did you mean 'accuracy=0.9'? Allowed are: = != < <= > >="),
        ("accuracy=>0.9", "Did you mean 'accuracy>=0.9'?"),
        ("accuracy<>0.9", "Did you mean 'accuracy!=0.9'?"),
        (">0.9", "does not say what is compared"),
        ("model=", "has no value"),
        ("model=cnn,mlp", "has several values"),
        ("model>cnn", "compares with 'cnn', which is no number: only = and != compare others."),
    ],
)
def test_what_is_no_comparison(text: str, said: str) -> None:
    """It is said what to write instead."""
    with pytest.raises(ComparisonError) as raised:
        comparison(text)
    assert said in str(raised.value)


def test_unknown_names() -> None:
    """The nearest name is said, and all that there are."""
    jobs = [job("model=cnn", returned={"accuracy": 0.9})]
    assert unknown_name([comparison("accuracy<0")], jobs) == ""
    assert unknown_name([comparison("modle=cnn")], jobs) == (
        "No job has a metric or an override 'modle'. Did you mean model? Metrics are: accuracy. Overrides are: model."
    )
    assert "Did you mean accuracy?" in unknown_name([comparison("acc>1")], jobs)
    assert "Metrics are: none. Overrides are: none." in unknown_name([comparison("acc>1")], [])
