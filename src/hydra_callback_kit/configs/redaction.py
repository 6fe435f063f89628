"""Which config keys hold secrets, and everything we write without their values."""

import functools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, QuotedString, RangeSweep
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.reading import reading
from hydra_callback_kit.journal.command_line import HYDRA_OPTIONS
from hydra_callback_kit.journal.masking import MIN_SECRET, mark_of, passwords_in

DEFAULT_SECRET_KEYS: Final = (
    *("password", "passwords", "passwd", "passphrase", "token", "secret", "secrets", "credential", "credentials"),
    *("api_key", "api_keys", "access_key", "access_keys", "private_key", "private_keys", "secret_key", "secret_keys"),
)
"""A key is secret when it has one of these as a word: `db_password`, `apiKey`, `hf_token`; not `max_tokens`, not
`tokenizer`."""

_OF_A_VOCABULARY: Final = re.compile(
    r"(?:^|[^a-z])(?:"
    r"pad|padding|eos|bos|unk|unknown|mask|sep|separator|cls|class|special|start|end|stop|begin|first|last|next|prev|previous"
    r"|new|image|audio|video|speaker|prompt|prefix|suffix|blank|null|max|min|num|n|per|vocab|additional|added|extra|decoder"
    r"|target|source|input|output|sub|word|text|modality|context|query|key|value|position|label"
    r")_token$"
)
"""Keys that end with `token` and speak of a tokenizer's vocabulary."""
_SAYS_OF_TOKENS: Final = re.compile(
    r"token_(?:type|ids|embed|dropout|drop|classif|limit|count|len|prob|mask|size|dim|budget|level|shift|index|indices|position"
    r"|stats|rate|per|merg|prun|label|class|batch|mix|loss|acc|wise|num|max|min|weight|head|group|pool|select|norm)"
)
"""Keys that speak of the tokens of a text."""


class Redaction:
    """Recognises secret keys and replaces their values.

    Args:
        secret_keys: the words that make a key secret; case, `-`, `_` and camelCase do not matter. A part of a word does not
            count (`token` is not in `tokenizer`). With the default words, `token` counts at the end of a key alone, and
            not in what a tokenizer calls its own (`pad_token`).
        key: what the numbers of the marks are made with; see `masking`.
    """

    def __init__(self, secret_keys: Iterable[str] = DEFAULT_SECRET_KEYS, key: bytes = b"") -> None:
        self._words = [_normalised(word) for word in secret_keys]
        self._letters = [word.replace("_", "") for word in self._words]
        self._is_default = tuple(secret_keys) == DEFAULT_SECRET_KEYS
        self._key = key

    def is_secret(self, key: str) -> bool:
        """Tells whether values under this key are secret."""
        normalised = _normalised(key)
        letters = normalised.replace("_", "")
        # most keys hold no such word in any form, and the expression takes a while to be made
        if not any(word in letters for word in self._letters):
            return False
        words = [found[0] for found in self._secret.finditer(normalised)]
        if words == ["token"] and self._is_default:
            return not _OF_A_VOCABULARY.search(normalised) and not _SAYS_OF_TOKENS.search(normalised)
        return bool(words)

    def mark(self, secret: Any) -> str:
        """What is written in the place of a secret."""
        return mark_of(secret if isinstance(secret, str) else json.dumps(secret, default=str), self._key)

    @functools.cached_property
    def _secret(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self._alternatives})(?![a-z])")

    @functools.cached_property
    def _secret_end(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self._alternatives})$")

    @property
    def _alternatives(self) -> str:
        # no other word ends with these, and people write PGPASSWORD
        whole = ("" if word in ("password", "passwd", "passphrase") else "(?<![a-z])" for word in self._words)
        return "|".join(start + re.escape(word).replace("_", "_?") for start, word in zip(whole, self._words, strict=True))

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
            return {
                key: self.mark(item) if self.hides(str(key), item) else self.of_value(item) for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.of_value(item) for item in value]
        return self.of_text(value) if isinstance(value, str) else value

    def of_text(self, text: str) -> str:
        """Returns a text without the passwords of the addresses in it (`postgres://me:secret@host`)."""
        for password in passwords_in(text) if self._words else ():
            text = text.replace(f":{password}@", f":{self.mark(password)}@")
        return text

    def of_result(self, value: Any) -> Any:
        """Returns what a job returned, JSON-like, the texts below secret keys replaced; `token_accuracy` is a number."""
        if isinstance(value, dict):
            return {
                key: self._without_texts(item) if self.is_secret(key) else self.of_result(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.of_result(item) for item in value]
        return self.of_text(value) if isinstance(value, str) else value

    def secrets_in(self, value: Any) -> dict[str, str]:
        """Collects the secrets of JSON-like `value` that are long enough to be told from other words, each with its mark.

        They are the texts below secret keys, and the passwords of addresses.
        """
        found: dict[str, str] = {}
        if isinstance(value, dict):
            for key, item in value.items():
                hides = self.hides(str(key), item)
                found |= {text: self.mark(text) for text in _texts(item)} if hides else self.secrets_in(item)
        elif isinstance(value, list):
            for item in value:
                found |= self.secrets_in(item)
        elif isinstance(value, str):
            passwords = passwords_in(value) if self._words else []
            found = {text: self.mark(text) for text in passwords if len(text) >= MIN_SECRET}
        return found

    def of_override(self, override: str) -> str:
        """Returns an override of Hydra's, its value replaced if its key, or a key inside its value, is secret."""
        letters = override.lower().replace("_", "").replace("-", "")
        if not any(word in letters for word in self._letters):
            return self.of_text(override)
        name, equals, text = override.partition("=")
        try:
            parsed = OverridesParser.create().parse_override(override)
        except HydraException:
            # unreadable, and a secret word stands in it
            return f"{name}={self.mark(text)}" if equals else self.of_text(override)
        key = parsed.get_key_element()
        value = parsed._value  # noqa: SLF001  `value()` refuses sweeps
        hidden = self._hides_any(key, value) or self._inside(value)
        if not equals or not hidden:
            return self.of_text(override)
        return f"{key}={self.mark(str(parsed.value()) if isinstance(value, (str, int, float, QuotedString)) else text)}"

    def of_overrides(self, overrides: Sequence[str]) -> list[str]:
        """Returns all overrides redacted."""
        return [self.of_override(override) for override in overrides]

    def of_command(self, words: Sequence[str]) -> list[str]:
        """Returns the words of a command, the values of secret overrides and of secret options (`--password=x`) replaced.

        Hydra's own options are no overrides: `--config-name=token_classification` stays as it is.
        """
        redacted: list[str] = []
        secret_follows = False
        for word in words:
            name, equals, text = word.partition("=")
            if secret_follows and not word.startswith("-"):
                redacted.append(self.mark(word))
            elif not word.startswith("-"):
                redacted.append(self.of_override(word))
            elif equals and name not in HYDRA_OPTIONS and self.is_secret(name.lstrip("-")):
                redacted.append(f"{name}={self.mark(text)}")
            else:
                redacted.append(self.of_text(word))
            secret_follows = (
                word.startswith("--") and not equals and word not in HYDRA_OPTIONS and self.is_secret(word.lstrip("-"))
            )
        return redacted

    def _without_texts(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._without_texts(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._without_texts(item) for item in value]
        return self.mark(value) if isinstance(value, str) else value

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
        with reading(config):
            nodes = OmegaConf.select(config, "hydra.callbacks") or {}
            chosen = [
                list(DEFAULT_SECRET_KEYS if node.get("keys") is None else node["keys"])
                for node in _callback_nodes(nodes)
                if str(node.get("_target_")).rpartition(".")[2] == _REDACTION_CALLBACK
            ]
        notes["secret_keys"] = [key for keys in chosen for key in keys] if chosen else list(DEFAULT_SECRET_KEYS)
    if "redaction_key" not in notes:
        notes["redaction_key"] = os.urandom(16)
    return _redaction(tuple(notes["secret_keys"]), notes["redaction_key"])


_REDACTION_CALLBACK: Final = "RedactionCallback"


def _callback_nodes(nodes: Mapping[Any, Any]) -> Iterator[Mapping[Any, Any]]:
    """The nodes of all callbacks, those that others wrap included."""
    for node in nodes.values():
        if isinstance(node, Mapping):
            yield node
            wrapped = node.get("callbacks")
            yield from _callback_nodes(wrapped if isinstance(wrapped, Mapping) else {})


@functools.lru_cache
def _redaction(secret_keys: tuple[str, ...], key: bytes) -> Redaction:
    return Redaction(secret_keys, key)


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


@functools.lru_cache(maxsize=4_096)  # the jobs of a sweep share their keys
def _normalised(key: str) -> str:
    words = key if key.islower() else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
    return words.replace("-", "_").replace(" ", "_")
