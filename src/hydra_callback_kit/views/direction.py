"""Whether the largest or the smallest value of a metric is the best: what was asked for, or what can be known."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views.metrics import metric_of, metrics_of

Best = Literal["max", "min"]

_SMALL_IS_GOOD: Final = re.compile(
    r"(?:^|[\W_])(?:loss|losses|err|error|errors|mse|rmse|mae|mape|smape|nll|perplexity|ppl|wer|cer|eer|fid"
    r"|lpips|brier|ece|ce|bce|cross_entropy|kl|kld|epe|distance|regret|cost|latency|duration|duration_s|runtime)(?:$|[\W_])"
    r"|(?:loss|error)$",
    re.IGNORECASE,
)
_LARGE_IS_GOOD: Final = re.compile(
    r"(?:^|[\W_])(?:accuracy|acc|top[15]|f1|auc|auroc|auprc|precision|recall|sensitivity|specificity|map|iou|miou|dice|score|reward"
    r"|return|returns|bleu|rouge|meteor|r2|ndcg|mrr|psnr|ssim|kappa|mcc|elbo|likelihood|throughput|(?:success|win)_rate)(?:$|[\W_])"
    r"|(?:accuracy|score|reward)$",
    re.IGNORECASE,
)
_NO_MEASURE: Final = re.compile(r"[\W_](?:scale|weight|coef|coeff|factor)$", re.IGNORECASE)
"""How names end of what is set and not aimed at: `loss_scale`."""

_TURNED_ROUND: Final = re.compile(
    r"neg|inver|minus|^-"
    r"|(?:^|[\W_])(?:drop|gap|free|ratio|correlation|reduction|improvement|gain|delta|diff|difference)(?:$|[\W_])",
    re.IGNORECASE,
)
"""What makes another measure of one, and nobody can tell of which values: `neg_mean_squared_error`, `accuracy_gap`."""
_LIKELIHOOD: Final = re.compile(r"neg(?:ative)?_log_likelihood", re.IGNORECASE)
"""The one that is called so everywhere, and is a loss."""


def direction_of(facts: Mapping[str, Any], metric: str, asked: Best | None = None) -> Best:
    """Tells which value of a metric is the best.

    Args:
        facts: the facts of the run; a sweeper that optimises has left its `directions` there.
        metric: the metric's name.
        asked: what was asked for, if anything was.

    Returns:
        What was asked for; else the sweeper's direction, which is that of what the task function returns; else `min` where
        the name speaks of a loss or an error (`val_loss`), and `max` for any other.
    """
    return asked or known_direction(facts, metric) or "max"


def known_direction(facts: Mapping[str, Any], metric: str) -> Best | None:
    """Tells which value of a metric is the best, where its name or the sweeper says it.

    Args:
        facts: as above.
        metric: the same.

    Returns:
        None if neither does.
    """
    directions = _directions(facts)
    number = re.fullmatch(r"return_value(?:\.([0-9]{1,9}))?", metric)
    if number is not None:
        return directions[int(number[1] or 0)] if int(number[1] or 0) < len(directions) else None
    name = re.sub(r"^(?:return_value|metrics|facts)\.|\.(?:min|max)$", "", metric)
    name = _LIKELIHOOD.sub("nll", name)
    if _NO_MEASURE.search(name) or _TURNED_ROUND.search(name):
        return None
    return "min" if _SMALL_IS_GOOD.search(name) else "max" if _LARGE_IS_GOOD.search(name) else None


def pareto_front(facts: Mapping[str, Any], jobs: Sequence[JobRecord]) -> list[JobRecord]:
    """The jobs of a sweep with several objectives that no other job beats in all of them.

    Args:
        facts: the facts of the run.
        jobs: its jobs.

    Returns:
        Completed jobs, in the order of the first objective; none where the sweep has one objective or none.
    """
    directions = _directions(facts)
    if len(directions) < 2:  # noqa: PLR2004  one objective has a best job, and no front
        return []
    points: list[tuple[tuple[float, ...], JobRecord]] = []
    for job in jobs:
        values = [metric_of(job, f"return_value.{place}") for place in range(len(directions))]
        known = [value for value in values if value is not None and not math.isnan(value)]
        if job.status == "COMPLETED" and len(known) == len(directions):
            signs = [-1 if best == "max" else 1 for best in directions]
            points.append((tuple(sign * value for sign, value in zip(signs, known, strict=True)), job))
    points.sort(key=lambda point: (point[0], point[1].job_num))
    front: list[tuple[tuple[float, ...], JobRecord]] = []
    for point in points:
        if not any(_beats(other, point[0]) for other, _ in front):
            front.append(point)
    return [job for _, job in front]


def objectives(facts: Mapping[str, Any]) -> list[tuple[str, Best]]:
    """The objectives of a sweep: the metric's name and which value is the best; empty where its sweeper has none."""
    directions = _directions(facts)
    names = ["return_value"] if len(directions) == 1 else [f"return_value.{place}" for place in range(len(directions))]
    return list(zip(names, directions, strict=True))


def the_metric(facts: Mapping[str, Any], jobs: Sequence[JobRecord]) -> str | None:
    """The metric that a run is about, where that can be known: the sweeper's objective, or the only number there is."""
    known = objectives(facts)
    names = {name for job in jobs if job.status == "COMPLETED" for name in metrics_of(job)}
    if len(known) == 1 and known[0][0] in names:
        return known[0][0]
    return next(iter(names)) if len(names) == 1 else None


def _beats(a: Sequence[float], b: Sequence[float]) -> bool:
    return tuple(a) != tuple(b) and all(x <= y for x, y in zip(a, b, strict=True))


def _directions(facts: Mapping[str, Any]) -> list[Best]:
    said = facts.get("directions")
    return ["min" if as_text(each).startswith("min") else "max" for each in said] if isinstance(said, list) else []
