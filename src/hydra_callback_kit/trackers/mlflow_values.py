"""What is sent to MLflow, within its limits: params, metrics and tags, and which of them a run has not got."""

import math
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.metric import Metric
from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.trackers.payload import Payload, shortened, text_of

MAX_KEY: Final = 250
MAX_PARAM: Final = 6_000
MAX_OLD_PARAM: Final = 500
"""That of old servers."""
MAX_TAG: Final = 5_000
"""That of older servers; newer ones take 8,000."""
MAX_FLOAT: Final = 1.7976931348623157e308
"""What MLflow keeps of an infinity."""
PARAMS_A_BATCH: Final = 100
METRICS_A_BATCH: Final = 800
"""With 100 params and 100 tags they are the 1,000 that a batch may have."""

ERROR: Final = "hydra.error"
"""The tag that says why a job failed."""

_NOT_TAKEN: Final = re.compile(r"[^\w.\- :/]")


class Values(NamedTuple):
    """What is sent in batches.

    Attributes:
        params: by name; MLflow takes each once.
        metrics: by name.
        tags: by name.
    """

    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]


def name_of(key: str) -> str:
    """A name as MLflow takes it: what else than letters, digits and `_ . - : /` is in it becomes `_`."""
    name = _NOT_TAKEN.sub("_", key)[:MAX_KEY]
    path = posixpath.normpath(name)
    if path == name and not path.startswith((".", "/")):
        return name
    return name.replace("/", "_").lstrip(".") or "_"  # it would be a path that leads elsewhere


def params_of(params: Mapping[str, Any], limit: int = MAX_PARAM) -> dict[str, str]:
    """Params as MLflow takes them; a value that was cut says so.

    Args:
        params: any values by name.
        limit: how many characters a value may have.
    """
    return {name_of(key): shortened(text_of(value), limit) for key, value in params.items()}


def metrics_of(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics as MLflow takes them, NaN too."""
    floats = {name_of(key): float(value) for key, value in metrics.items()}
    return {key: math.copysign(MAX_FLOAT, value) if math.isinf(value) else value for key, value in floats.items()}


def tags_of(kind: str, payload: Payload, own: Mapping[str, str]) -> dict[str, str]:
    """Tags as MLflow takes them: ours below `hydra.`, the user's own, and the commit where MLflow shows it.

    Args:
        kind: `job` or `sweep`.
        payload: what they are made of.
        own: the user's.
    """
    ours = {f"hydra.{name}": text for name, text in payload.tags.items()}
    commit = {"mlflow.source.git.commit": payload.tags["commit"]} if "commit" in payload.tags else {}
    error = {} if payload.error is None else {ERROR: payload.error}
    return _within_limits({**own, **commit, **ours, "hydra.kind": kind, **error})


def missing(there: Any, values: Values, is_a_curve: Callable[[str], bool]) -> Values:
    """What a run has not got.

    A param cannot be changed. Where another value is there, the app's own or that of an earlier attempt, ours is a tag.
    What the app has logged as a curve stays as it is.

    Args:
        there: what it has got: MLflow's `RunData`.
        values: what it should have.
        is_a_curve: tells whether a metric that is there is one.
    """
    params = {key: value for key, value in values.params.items() if key not in there.params}
    other = {f"hydra.param.{key}": value for key, value in values.params.items() if there.params.get(key, value) != value}
    differ = {key: value for key, value in values.metrics.items() if not _same(there.metrics.get(key), value)}
    metrics = {key: value for key, value in differ.items() if key not in there.metrics or not is_a_curve(key)}
    tags = {**_within_limits(other), **values.tags}
    return Values(params, metrics, {key: value for key, value in tags.items() if there.tags.get(key) != value})


def milliseconds(time_of: str | None) -> int | None:
    """A time of the record as MLflow takes it."""
    return None if time_of is None else int(datetime.fromisoformat(time_of).timestamp() * 1_000)


def points_as_metrics(points: Iterable[Point], counts: dict[str, int]) -> list[tuple[str, float, int, int]]:
    """The points of curves as MLflow takes them: name, value, milliseconds and step, in their order.

    Args:
        points: in the order in which they were reported. What has no step has its place in that order for one.
        counts: how many values of each metric came before; they are counted on.
    """
    taken: list[tuple[str, float, int, int]] = []
    for point in points:
        at = milliseconds(point.time) or 0
        for name, value in metrics_of(point.values).items():
            place = counts[name] = counts.get(name, -1) + 1
            taken.append((name, value, at, place if point.step is None else int(point.step)))
    return taken


def not_there(there: Any, metrics: Mapping[str, Metric]) -> list[str]:
    """The metrics whose last value is not the one that a run has: of their curves something may be missing.

    Args:
        there: MLflow's `RunData`.
        metrics: those of a job's record.
    """
    last = {name: metrics_of({name: metric.last}) for name, metric in metrics.items()}
    return [
        name for name, value in last.items() if not all(_same(there.metrics.get(key), each) for key, each in value.items())
    ]


def _within_limits(tags: Mapping[str, str]) -> dict[str, str]:
    return {name_of(key): shortened(text, MAX_TAG) for key, text in tags.items()}


def _same(there: float | None, value: float) -> bool:
    return there is not None and (there == value or (math.isnan(there) and math.isnan(value)))
