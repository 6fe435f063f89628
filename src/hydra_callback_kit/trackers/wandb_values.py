"""What is sent to W&B, as it takes it: names of metrics and of a project, texts, configs."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

ERROR: Final = "hydra/error"
"""What the summary of a run calls the reason why its job failed."""
STEP: Final = "step"
"""What a step is called beside the values that were reported at it. W&B's own counter stays the app's."""
REPORTED: Final = "_hydra_reported_s"
"""When the last report was made that W&B has got, in seconds since 1970. It is read back as a run goes on."""

MAX_PROJECT: Final = 128
NOT_A_PROJECT: Final = f"it may have {MAX_PROJECT} characters, and none of / \\ # ? % :"
MAX_TAG: Final = 64

_TAKEN: Final = frozenset({"", ERROR, STEP, REPORTED, "_step", "_runtime", "_timestamp", "_wandb"})
"""The names that mean something else, to W&B or here; W&B drops what has no name."""
_NOT_IN_A_PROJECT: Final = re.compile(r"[/\\#?%:]")
_ARTIFACT: Final = re.compile(r"wandb-artifact://|artifactVersion\Z")


def name_of(name: str) -> str:
    """A metric's name as W&B takes it; one that means something else there has `_` at its end."""
    return text_of(f"{name}_" if name in _TAKEN else name)


def has_axis(name: str) -> bool:
    """Whether W&B can be told which metric is the x-axis of this one: an asterisk would stand for others."""
    return "*" not in name


def metrics_of(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics by the names that W&B takes."""
    return {name_of(name): value for name, value in metrics.items()}


def seconds_of(time_of: str) -> float:
    """A time of the record (UTC, ISO 8601) in seconds since 1970."""
    return datetime.fromisoformat(time_of).timestamp()


def text_of(text: str) -> str:
    """A text as W&B takes it: half a character, as in a file's name of another encoding, becomes an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def tags_of(tags: Iterable[str]) -> list[str]:
    """Tags as W&B takes them, none blank and none too long."""
    return [text_of(tag)[:MAX_TAG] for tag in tags if tag]


def is_project(name: str) -> bool:
    """Whether W&B takes it as the name of a project."""
    return project_of(name) == name


def project_of(name: str) -> str:
    """A name as W&B takes it for a project: what may not be in it becomes `-`."""
    return _NOT_IN_A_PROJECT.sub("-", text_of(name))[:MAX_PROJECT]


def config_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config as W&B takes it.

    An artifact's address has a space in front: W&B would ask the server for the artifact, or refuse the whole config.
    """
    return {f"{key}_" if key == "_wandb" else key: value for key, value in _value(config).items()}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return text_of(f" {value}" if _ARTIFACT.match(value) else value)
    if isinstance(value, Mapping):
        return {text_of(str(key)): _value(item) for key, item in value.items()}
    return [_value(item) for item in value] if isinstance(value, list | tuple) else value
