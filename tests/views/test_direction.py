"""Whether the largest or the smallest value of a metric is the best, as far as its name says it."""

import pytest

from hydra_callback_kit.views.direction import direction_of, known_direction

SMALL = (
    *(
        "loss",
        "val_loss",
        "val/loss.min",
        "return_value.test.loss",
        "valLoss",
        "cross_entropy",
        "kl",
        "train/bce",
        "ce",
        "lpips",
    ),
    *("ece", "smape", "distance", "epe", "latency", "duration_s", "neg_log_likelihood", "metrics.rmse"),
    *("test/negative_log_likelihood", "nll"),
)
LARGE = (
    "accuracy",
    "val_acc",
    "test.f1",
    "log_likelihood",
    "mAP",
    "mean_reward",
    "score",
    "return_value.auc",
    "val/iou.max",
)
UNKNOWN = (
    "quality",
    "loss_scale",
    "reward_weight",
    "return_value",
    "return_value.0",
    "return_value.x",
    "replace",
    "metrics.y",
    *(
        "neg_log_loss",
        "neg_mean_squared_error",
        "test_neg_root_mean_squared_error",
        "val/neg_loss",
        "negative_loss",
        "negloss",
    ),
    *("inverse_loss", "-loss", "negative_elbo", "error_free_rate", "distance_correlation", "loss_ratio", "accuracy_drop"),
    *("accuracy_gap", "metrics.score_difference", "valNegLoss"),
)


@pytest.mark.parametrize(
    ("names", "known"), [(SMALL, "min"), (LARGE, "max"), (UNKNOWN, None)], ids=["small", "large", "unknown"]
)
def test_what_a_name_says(names: tuple[str, ...], known: str | None) -> None:
    """Of an unknown one the largest is the best, where nothing depends on it."""
    assert {name: known_direction({}, name) for name in names} == dict.fromkeys(names, known)
    assert {direction_of({}, name) for name in names} == {known or "max"}


def test_the_sweeper_says_it_of_what_is_returned_alone() -> None:
    """And what is asked for counts before all."""
    facts = {"directions": ["minimize", "maximize"]}
    known = [known_direction(facts, name) for name in ("return_value", "return_value.1", "return_value.2", "quality")]
    assert known == ["min", "max", None, None]
    assert direction_of(facts, "return_value", "max") == "max"
