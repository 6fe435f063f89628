"""What is known of a metric that a job reports while it runs: the last value, the extremes, and where they were."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from hydra_callback_kit.journal.values import as_json, is_number

Step: TypeAlias = "int | float | None"


class Metric(NamedTuple):
    """A metric of a job.

    Attributes:
        last: the last value.
        step: its step; None where the job gave none.
        min: the smallest value that is not NaN; NaN if there is none.
        min_step: the first step that had it.
        max: the largest value that is not NaN; NaN if there is none.
        max_step: the first step that had it.
        points: how many values were reported.
    """

    last: float
    step: Step
    min: float
    min_step: Step
    max: float
    max_step: Step
    points: int

    @classmethod
    def of(cls, value: float, step: Step) -> "Metric":
        """That of a single value."""
        return cls(value, step, value, step, value, step, 1)

    def then(self, value: float, step: Step) -> "Metric":
        """With one value more."""
        _, _, least, least_step, most, most_step, points = self
        if value < least or least != least:  # noqa: PLR0124  NaN, which is the first value alone, is not itself
            least, least_step = value, step
        if value > most or most != most:  # noqa: PLR0124  the same
            most, most_step = value, step
        return Metric(value, step, least, least_step, most, most_step, points + 1)


def as_fact(metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """The metrics of a job as a fact, encoded: each an object whose keys are the attributes of `Metric`."""
    return {name: as_json(metric._asdict()) for name, metric in metrics.items()}


def metrics_in(fact: Any) -> dict[str, Metric]:
    """Undoes `as_fact`; what is no metric, as a damaged journal may hold it, is left out.

    Args:
        fact: the fact, decoded.
    """
    metrics: dict[str, Metric] = {}
    for name, figures in fact.items() if type(fact) is dict else ():
        if type(figures) is not dict or figures.keys() != _FIELDS:
            continue
        metric = Metric(**figures)
        numbers, steps = (metric.last, metric.min, metric.max), (metric.step, metric.min_step, metric.max_step)
        has_steps = all(step is None or is_number(step) for step in steps)
        if all(map(is_number, numbers)) and has_steps and type(metric.points) is int:
            metrics[name] = metric
    return metrics


_FIELDS = frozenset(Metric._fields)
