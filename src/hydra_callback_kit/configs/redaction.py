"""Which config keys hold secrets, and everything we write without their values."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.journal.masking import MIN_SECRET, REDACTED

DEFAULT_SECRET_KEYS: Final = (
    *("password", "passwords", "passwd", "passphrase", "token", "secret", "secrets", "credential", "credentials"),
    *("api_key", "api_keys", "access_key", "access_keys", "private_key", "private_keys", "secret_key", "secret_keys"),
)
"""A key is secret when it contains one of these: `db_password`, `apiKey`, `hf_token`; not `max_tokens`, not `tokenizer`."""


class Redaction:
    """Recognises secret keys and replaces their values.

    Args:
        secret_keys: the words that make a key secret; case, `-`, `_` and camelCase do not matter, and a word must not go on
            (`token` is not in `tokenizer`).
    """

    def __init__(self, secret_keys: Iterable[str] = DEFAULT_SECRET_KEYS) -> None:
        self._words = [_normalised(key) for key in secret_keys]
        self._letters = [word.replace("_", "") for word in self._words]

    def is_secret(self, key: str) -> bool:
        """Tells whether values under this key are secret."""
        normalised = _normalised(key)
        letters = normalised.replace("_", "")
        # most keys hold no such word in any form, and the expression takes a while to be made
        return any(word in letters for word in self._letters) and self._secret.search(normalised) is not None

    @functools.cached_property
    def _secret(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self._alternatives})(?![a-z])")

    @functools.cached_property
    def _secret_end(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self._alternatives})$")

    @property
    def _alternatives(self) -> str:
        return "|".join(re.escape(word).replace("_", "_?") for word in self._words)

    def hides(self, key: str, value: Any) -> bool:
        """Tells whether a value is secret because of its key.

        Null and booleans are not, and numbers only where the key ends with the word: `password`, not `token_dropout`.
        """
        if value is None or isinstance(value, bool) or not self.is_secret(key):
            return False
        return not isinstance(value, (int, float)) or self._secret_end.search(_normalised(key)) is not None

    def of_value(self, value: Any) -> Any:
        """Returns JSON-like `value` with the values of secret keys replaced, at any depth; null stays null."""
        if isinstance(value, dict):
            return {key: REDACTED if self.hides(str(key), item) else self.of_value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of_value(item) for item in value]
        return value

    def of_result(self, value: Any) -> Any:
        """Returns what a job returned, JSON-like, the texts below secret keys replaced; `token_accuracy` is a number."""
        if isinstance(value, dict):
            return {
                key: _without_texts(item) if self.is_secret(key) else self.of_result(item) for key, item in value.items()
            }
        return [self.of_result(item) for item in value] if isinstance(value, list) else value

    def secrets_in(self, value: Any) -> set[str]:
        """Collects the texts below secret keys of JSON-like `value` that are long enough to be told from other words."""
        if isinstance(value, dict):
            return {
                text
                for key, item in value.items()
                for text in (_texts(item) if self.hides(str(key), item) else self.secrets_in(item))
            }
        return {text for item in value for text in self.secrets_in(item)} if isinstance(value, list) else set()

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
        value = parsed._value  # noqa: SLF001  `value()` refuses sweeps
        hidden = self._hides_any(key, value) or self._inside(value)
        return f"{key}={REDACTED}" if equals and hidden else override

    def of_overrides(self, overrides: Sequence[str]) -> list[str]:
        """Returns all overrides redacted."""
        return [self.of_override(override) for override in overrides]

    def _hides_any(self, key: str, value: Any) -> bool:
        return any(self.hides(key, leaf) for leaf in _leaves(value))

    def _inside(self, value: Any) -> bool:
        if isinstance(value, Mapping):
            return any(self._hides_any(str(key), item) or self._inside(item) for key, item in value.items())
        if isinstance(value, (list, tuple)):
            return any(self._inside(item) for item in value)
        return any(self._inside(getattr(value, name)) for name in ("list", "args") if hasattr(value, name))


def redaction_of(config: DictConfig) -> Redaction:
    """Returns the redaction that a run's config asks for: `redaction_callback`'s keys, or the default ones."""
    notes = notes_of(config)
    if "secret_keys" not in notes:
        nodes = OmegaConf.select(config, "hydra.callbacks") or {}
        chosen = [
            list(DEFAULT_SECRET_KEYS if node.get("keys") is None else node["keys"])
            for node in _callback_nodes(nodes)
            if str(node.get("_target_")).rpartition(".")[2] == _REDACTION_CALLBACK
        ]
        notes["secret_keys"] = [key for keys in chosen for key in keys] if chosen else list(DEFAULT_SECRET_KEYS)
    return _redaction(tuple(notes["secret_keys"]))


_REDACTION_CALLBACK: Final = "RedactionCallback"


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


def _leaves(value: Any) -> Iterator[Any]:
    """The single values of what Hydra's grammar has read: of lists, mappings and sweeps."""
    if isinstance(value, (RangeSweep, IntervalSweep)):
        yield 0.0  # any number says as much
    elif isinstance(value, (Mapping, list, tuple, ChoiceSweep)):
        items = value.values() if isinstance(value, Mapping) else value.list if isinstance(value, ChoiceSweep) else value
        for item in items:
            yield from _leaves(item)
    else:
        yield value


def _texts(value: Any) -> set[str]:
    if isinstance(value, (dict, list)):
        return {text for item in (value.values() if isinstance(value, dict) else value) for text in _texts(item)}
    text = "" if value is None or isinstance(value, bool) else str(value)
    return {text} if len(text) >= MIN_SECRET else set()


def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_texts(item) for item in value]
    return REDACTED if isinstance(value, str) else value


@functools.lru_cache(maxsize=4_096)  # the jobs of a sweep share their keys
def _normalised(key: str) -> str:
    words = key if key.islower() else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
    return words.replace("-", "_").replace(" ", "_")
