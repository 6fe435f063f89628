"""What MLflow takes: names, values and batches within its limits."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

from hydra_callback_kit.trackers.payload import shortened, text_of

Value = TypeVar("Value")

MAX_KEY: Final = 250
MAX_PARAM: Final = 6_000
MAX_OLD_PARAM: Final = 500
"""That of servers before 2.8."""
MAX_TAG: Final = 5_000
"""That of older servers; newer ones take 8,000."""
MAX_FLOAT: Final = 1.7976931348623157e308
"""What MLflow keeps of an infinity."""
PARAMS_A_BATCH: Final = 100
METRICS_A_BATCH: Final = 800
"""With 100 params and 100 tags they are the 1,000 that a batch may have."""

_NOT_TAKEN: Final = re.compile(r"[^\w.\- :/]")


def name_of(key: str) -> str:
    """A key as MLflow takes it: what else than letters, digits and `_ . - : /` is in it becomes `_`."""
    name = shortened(_NOT_TAKEN.sub("_", key), MAX_KEY).replace("[", "_").replace("]", "_").replace(",", "_") or "_"
    path = posixpath.normpath(name)
    return name.replace("/", "_").lstrip(".") or "_" if path != name or path.startswith((".", "/")) else name


def params_of(params: Mapping[str, Any], limit: int = MAX_PARAM) -> dict[str, str]:
    """Params as MLflow takes them; a value that was cut says so."""
    return {name_of(key): shortened(text_of(value), limit) for key, value in params.items()}


def tags_of(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags as MLflow takes them."""
    return {name_of(key): shortened(str(value), MAX_TAG) for key, value in tags.items()}


def metrics_of(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics as MLflow takes them."""
    return {name_of(key): max(-MAX_FLOAT, min(float(value), MAX_FLOAT)) for key, value in metrics.items()}


def batches(values: Mapping[str, Value], size: int) -> Iterator[dict[str, Value]]:
    """The values in parts of so many at most; one empty part if there are none."""
    items = list(values.items())
    for first in range(0, len(items) or 1, size):
        yield dict(items[first : first + size])
