"""results_aggregator_callback's parameters: what is wrong fails as it is built."""

import pickle
from typing import Any

import pytest

from hydra_callback_kit import ParameterError, ResultsAggregatorCallback


@pytest.mark.parametrize(
    "wrong",
    [
        {"output_file": "results.xlsx"},
        {"output_file": "results"},
        {"output_file": []},
        {"output_file": ["a.csv", "a.csv"]},
        {"output_file": None},
        {"output_file": ["a.csv", 3]},
        {"output_file": "/no/such/directory/a.csv"},
        {"output_file": ["best.json"], "sort_by": "accuracy"},
        {"output_file": ["r.csv", "r_averaged.csv"], "average_over": ["seed"]},
        {"mode": "maximum"},
        {"top_k": 0},
        {"average_over": "seed"},
    ],
)
def test_wrong_parameters_are_named(wrong: dict[str, Any]) -> None:
    """The error carries the parameter's name."""
    with pytest.raises(ParameterError) as caught:
        ResultsAggregatorCallback(**wrong)
    assert caught.value.parameter == next(iter(wrong))


def test_all_formats_are_accepted_in_any_case() -> None:
    """One name or several; the callback survives pickling."""
    names = ["r.json", "r.jsonl", "r.CSV", "sub/r.md", "r.parquet"]
    assert ResultsAggregatorCallback("r.csv").output_files == ["r.csv"]
    assert pickle.loads(pickle.dumps(ResultsAggregatorCallback(names))).output_files == names
