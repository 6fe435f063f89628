"""What is sent to MLflow, within its limits: params, metrics and tags, and which of them a run has not got."""

import hashlib
import itertools
import math
import posixpath
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.metric_points import Point
from hydra_callback_kit.trackers.payload import Payload, shortened, text_of, whole_step

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
POINTS: Final = "hydra.points"
"""The tag that says how many values of a job's metrics are there."""

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


class Names:
    """What keys are called in MLflow. Two that differ in refused characters alone stay two: the second has a mark.

    Args:
        keys: the first of them.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._of: dict[str, str] = {}
        self._taken: set[str] = set()
        for key in keys:
            self.of(key)

    def of(self, key: str) -> str:
        """The name of a key."""
        known = self._of.get(key)
        if known is None:
            known = name_of(key)
            if known in self._taken:
                mark = hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()[:8]
                known = f"{known[: MAX_KEY - 9]}-{mark}"
            self._taken.add(known)
            self._of[key] = known
        return known


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
    names = Names()
    return {names.of(key): shortened(text_of(value), limit) for key, value in params.items()}


def metrics_of(metrics: Mapping[str, float], names: Names) -> dict[str, float]:
    """Metrics as MLflow takes them, NaN too.

    Args:
        metrics: the values by key.
        names: what they are called there.
    """
    floats = {names.of(key): float(value) for key, value in metrics.items()}
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
    known = {**commit, **ours, "hydra.kind": kind, **error}
    return _within_limits({**known, **own, **known})


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
    differ = {key: value for key, value in values.metrics.items() if not same(there.metrics.get(key), value)}
    metrics = {key: value for key, value in differ.items() if key not in there.metrics or not is_a_curve(key)}
    tags = {**_within_limits(other), **values.tags}
    return Values(params, metrics, {key: value for key, value in tags.items() if there.tags.get(key) != value})


def milliseconds(time_of: str | None) -> int | None:
    """A time of the record as MLflow takes it."""
    return None if time_of is None else int(datetime.fromisoformat(time_of).timestamp() * 1_000)


def now_ms() -> int:
    """The time as MLflow takes it."""
    return int(time.time() * 1_000)


def points_as_metrics(points: Iterable[Point], first: int, names: Names) -> list[tuple[str, float, int, int]]:
    """The points of curves as MLflow takes them: name, value, milliseconds and step, in their order.

    Args:
        points: in the order in which they were reported. Those without a step are counted.
        first: how many of these the job has reported before.
        names: what the metrics are called there.
    """
    taken: list[tuple[str, float, int, int]] = []
    places = itertools.count(first)
    for point in points:
        step = next(places) if point.step is None else whole_step(point.step)
        at = milliseconds(point.time) or 0
        taken += [(name, value, at, step) for name, value in metrics_of(point.values, names).items()]
    return taken


def same(there: float | None, value: float) -> bool:
    """Whether MLflow has a value, be it NaN."""
    return there is not None and (there == value or (math.isnan(there) and math.isnan(value)))


def _within_limits(tags: Mapping[str, str]) -> dict[str, str]:
    names = Names()
    return {names.of(key): shortened(text, MAX_TAG) for key, text in tags.items()}
