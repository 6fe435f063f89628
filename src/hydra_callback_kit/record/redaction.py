"""Which config keys hold secrets, and everything we write without their values."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.record.carried import carried_values

REDACTED: Final = "<redacted>"

DEFAULT_SECRET_KEYS: Final = (
    *("password", "passwords", "passwd", "passphrase", "token", "secret", "secrets", "credential", "credentials"),
    *("api_key", "apikey", "access_key", "private_key"),
)
"""A key is secret when it contains one of these: `db_password`, `apiKey`, `hf_token`; not `max_tokens`, not `tokenizer`."""


class Redaction:
    """Recognises secret keys and replaces their values.

    Args:
        secret_keys: the words that make a key secret; case, `-` and camelCase do not matter, and a word must not go on
            (`token` is not in `tokenizer`).
    """

    def __init__(self, secret_keys: Iterable[str] = DEFAULT_SECRET_KEYS) -> None:
        words = "|".join(re.escape(_normalised(key)) for key in secret_keys)
        self._secret = re.compile(f"(?:{words})(?![a-z])" if words else "(?!)")

    def is_secret(self, key: str) -> bool:
        """Tells whether values under this key are secret."""
        return self._secret.search(_normalised(key)) is not None

    def of_value(self, value: Any) -> Any:
        """Returns JSON-like `value` with the values of secret keys replaced, at any depth; null stays null."""
        if isinstance(value, dict):
            return {
                key: REDACTED if item is not None and self.is_secret(str(key)) else self.of_value(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.of_value(item) for item in value]
        return value

    def of_override(self, override: str) -> str:
        """Returns an override of Hydra's, its value replaced if its key, or a key inside its value, is secret."""
        if not self.is_secret(override):
            return override
        name, equals, _ = override.partition("=")
        try:
            parsed = OverridesParser.create().parse_override(override)
        except HydraException:
            return f"{name}={REDACTED}" if equals else override  # unreadable, and a secret word stands in it
        key = parsed.get_key_element()
        hidden = self.is_secret(key) or self._inside(parsed._value)  # noqa: SLF001  `value()` refuses sweeps
        return f"{key}={REDACTED}" if equals and hidden else override

    def of_overrides(self, overrides: Sequence[str]) -> list[str]:
        """Returns all overrides redacted."""
        return [self.of_override(override) for override in overrides]

    def _inside(self, value: Any) -> bool:
        if isinstance(value, Mapping):
            return any(self.is_secret(str(key)) or self._inside(item) for key, item in value.items())
        if isinstance(value, (list, tuple)):
            return any(self._inside(item) for item in value)
        return any(self._inside(getattr(value, name)) for name in ("list", "args") if hasattr(value, name))


def redaction_of(config: DictConfig) -> Redaction:
    """Returns the redaction that a run's config asks for: `redaction_callback`'s keys, or the default ones."""
    carried = carried_values(config)
    if "secret_keys" not in carried:
        nodes = OmegaConf.select(config, "hydra.callbacks") or {}
        chosen = [list(node["keys"]) for node in _callback_nodes(nodes) if node.get("_target_", "") == _REDACTION_CALLBACK]
        carried["secret_keys"] = [key for keys in chosen for key in keys] if chosen else list(DEFAULT_SECRET_KEYS)
    return _redaction(tuple(carried["secret_keys"]))


_REDACTION_CALLBACK: Final = "hydra_callback_kit.RedactionCallback"


def _callback_nodes(nodes: Mapping[Any, Any]) -> Iterator[Mapping[Any, Any]]:
    """The nodes of all callbacks, those that others wrap included."""
    for node in nodes.values():
        if isinstance(node, Mapping):
            yield node
            wrapped = node.get("callbacks")
            yield from _callback_nodes(wrapped if isinstance(wrapped, Mapping) else {})


@functools.lru_cache
def _redaction(secret_keys: tuple[str, ...]) -> Redaction:
    return Redaction(secret_keys)


@functools.lru_cache(maxsize=4_096)  # the jobs of a sweep share their keys
def _normalised(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower().replace("-", "_").replace(" ", "_")
