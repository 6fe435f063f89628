"""A config as it is written, flat: what two jobs are compared by."""

import enum
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any, Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.containers import is_container
from hydra_callback_kit.configs.secret_keys import SecretKeys
from hydra_callback_kit.journal.masking import is_marked

MAX_VALUE: Final = 1_000
"""Of a value that takes more characters, only what tells it from others is kept."""


def flat_config(config: DictConfig, keys: SecretKeys, hide: Callable[[str], str]) -> dict[str, Any]:
    """The app's part of a config by dotted keys; interpolations stay as they are written, and lists whole.

    Args:
        config: a config that Hydra composed, or that was read from a file.
        keys: which keys are secret: what lies there or below is left out.
        hide: takes known secrets out of a text.

    Returns:
        Values that JSON has.
    """
    flat: dict[str, Any] = {}
    for key, node in _content(config).items():
        if key != "hydra":
            _fill(flat, name_of_key(key), key, node, keys, hide)
    return flat


def flat_value(key: Any, node: Any, keys: SecretKeys, hide: Callable[[str], str]) -> Iterator[Any]:
    """The value of a node that is no mapping with keys of its own; nothing if it is secret.

    Args:
        key: under which it lies.
        node: the node.
        keys: as above.
        hide: as above.
    """
    written = node._value()  # noqa: SLF001  as it is written
    is_secret = keys.is_secret(str(key)) and (is_container(node) or keys.hides(str(key), written))
    if not is_secret:
        yield _shortened(_plain(node, keys, hide))


def name_of_key(key: Any) -> str:
    """A key as a part of a dotted one; no two keys are called the same."""
    return key.replace("\\", "\\\\").replace(".", "\\.") if type(key) is str else f"\\{_of_key(key)!r}"


def _fill(flat: dict[str, Any], name: str, key: Any, node: Any, keys: SecretKeys, hide: Callable[[str], str]) -> None:
    content = _content(node)
    if content and not keys.is_secret(str(key)):
        for inner, child in content.items():
            _fill(flat, f"{name}.{name_of_key(inner)}", inner, child, keys, hide)
        return
    for value in flat_value(key, node, keys, hide):
        flat[name] = value


def _content(node: Any) -> dict[Any, Any]:
    """What lies in a mapping, as it is written; nothing for what is none."""
    content = node.__dict__["_content"] if is_container(node) else None
    return content if isinstance(content, dict) else {}


def _plain(node: Any, keys: SecretKeys, hide: Callable[[str], str]) -> Any:
    if is_container(node):
        content = node.__dict__["_content"]
        if isinstance(content, list):
            return [_plain(item, keys, hide) for item in content]
        if isinstance(content, dict):
            values = ((inner, list(flat_value(inner, child, keys, hide))) for inner, child in content.items())
            return {"mapping": {name_of_key(inner): value[0] for inner, value in values if value}}
        return content if content is None else hide(str(content))
    return _plain_scalar(node._value(), hide)  # noqa: SLF001  as it is written


def _plain_scalar(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, enum.Enum):
        return value.name  # as Hydra saves it
    if isinstance(value, (str, PurePath)):
        return hide(str(value))
    if isinstance(value, bytes):
        return {"bytes": hashlib.sha256(value).hexdigest()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value if value is None or isinstance(value, (bool, int, float)) else {"other": hide(str(value))}


def _shortened(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = json.dumps(value, sort_keys=True)
    if len(text) <= MAX_VALUE or is_marked(text):  # what hides a secret is another in each run
        return value
    return {"sha256": hashlib.sha256(text.encode("ascii")).hexdigest(), "length": len(text)}


def _of_key(key: Any) -> Any:
    return key.name if isinstance(key, enum.Enum) else key
