"""Comparisons such as `accuracy>0.9` and `model=cnn`: read from a text, and asked of a job. Nothing is evaluated as code."""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hydra_callback_kit.configs.own_overrides import of_the_app
from hydra_callback_kit.journal.overrides import override_key, typed_override
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import as_json, is_number
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.metrics import metric_of, metrics_of

OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""What a comparison may say, between a name and a value."""

_PARTS: Final = re.compile(r"([^=!<>]*)([=!<>]+)(.*)", re.DOTALL)
_MEANT: Final = {"==": "=", "=>": ">=", "=<": "<=", "<>": "!=", "!": "!=", "=!": "!=", "!==": "!=", "===": "="}
_OF_OVERRIDES: Final = "overrides."


class ComparisonError(ValueError):
    """A text is no comparison; the message says what to write."""


@dataclass(frozen=True)
class Comparison:
    """A comparison of a metric or an override with a value.

    Attributes:
        name: what is compared: the key of an override, else a metric as `metric_of` takes it.
        sign: one of `OPERATORS`.
        value: what it is compared with, typed as an override's value is.
        text: the comparison as it was written.
    """

    name: str
    sign: str
    value: Any
    text: str

    def holds(self, job: JobRecord) -> bool:
        """Whether it holds for a job; it does not for one that has neither the override nor the metric."""
        found = value_of(job, self.name)
        return found is not None and self.holds_for(found[0])

    def holds_for(self, given: Any) -> bool:
        """Whether it holds for a value."""
        wanted = self.value
        if is_number(given) and is_number(wanted):
            both_nan = given != given and wanted != wanted  # noqa: PLR0124  who looks for NaN finds it
            return self.sign == "=" if both_nan and self.sign in ("=", "!=") else OPERATORS[self.sign](given, wanted)
        same = type(given) is type(wanted) and bool(as_json(given) == as_json(wanted))
        return same if self.sign == "=" else (not same and self.sign == "!=")


def comparison(text: str) -> Comparison:
    """Reads a comparison.

    Args:
        text: a name, one of `OPERATORS`, and a value as in an override: `accuracy>0.9`, `model=cnn`, `lr!=1e-3`.

    Raises:
        ComparisonError: if it is none.
    """
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise ComparisonError(
            f"{text!r} compares nothing. Write it with a value, in quotes: '{text.strip() or 'loss'}>0.9'."
        )
    name, sign, value = (part.strip() for part in parts.groups())
    name = name.lstrip("+")
    if sign not in OPERATORS:
        meant = _MEANT.get(sign)
        hint = f" Did you mean '{name}{meant}{value}'?" if meant else ""
        raise ComparisonError(f"{sign!r} in {text!r} is no comparison.{hint} Allowed are: {' '.join(OPERATORS)}")
    if not name:
        raise ComparisonError(f"{text!r} does not say what is compared. Write a metric or an override before {sign!r}.")
    if not value:
        raise ComparisonError(f"{text!r} has no value. Write one behind {sign!r}; '' is the empty text.")
    typed = typed_override(f"x={value}")[1]
    if typed == value and "," in value and value[0] not in "[{":
        raise ComparisonError(f"{text!r} has several values: a comparison takes one, or quotes around it: {name}{sign}'...'")
    if sign not in ("=", "!=") and not is_number(typed):
        raise ComparisonError(f"{text!r} compares with {value!r}, which is no number: only = and != compare others.")
    return Comparison(name, sign, typed, text)


def value_of(job: JobRecord, name: str) -> tuple[Any] | None:
    """What a job has by a name: its override, else its metric; None if neither.

    Args:
        job: the job.
        name: the key of an override, or `overrides.<key>`; else a metric as `metric_of` takes it.
    """
    key = name.removeprefix(_OF_OVERRIDES)
    for override in reversed(job.task_overrides):
        if override_key(override) in (key, name):
            return (typed_override(override)[1],)
    metric = metric_of(job, name)
    return None if metric is None else (metric,)


def is_override(jobs: Iterable[JobRecord], name: str) -> bool:
    """Whether a name is that of an override which one of the jobs was given."""
    keys = {name, name.removeprefix(_OF_OVERRIDES)}
    return any(override_key(override) in keys for job in jobs for override in job.task_overrides)


def names_known(jobs: Sequence[JobRecord]) -> tuple[list[str], list[str]]:
    """The metrics and the overrides that jobs can be compared by.

    Args:
        jobs: the jobs.

    Returns:
        The names of the metrics, of jobs that have not completed as well, and the keys of the overrides.
    """
    metrics = dict.fromkeys(name for job in jobs for name in metrics_of(job))
    keys = dict.fromkeys(override_key(override) for job in jobs for override in of_the_app(job.task_overrides))
    return list(metrics), list(keys)


def unknown_name(comparisons: Iterable[Comparison], jobs: Sequence[JobRecord]) -> str:
    """What to say where no job has a metric or an override by one of the names; empty where each name is one."""
    for each in comparisons:
        if all(value_of(job, each.name) is None for job in jobs):
            metrics, keys = names_known(jobs)
            hint = wording.did_you_mean(each.name, [*metrics, *keys])
            return (
                f"No job has a metric or an override {each.name!r}.{hint} Metrics are: {', '.join(metrics) or 'none'}. "
                f"Overrides are: {', '.join(keys) or 'none'}."
            )
    return ""
