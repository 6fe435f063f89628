"""Everything we write, without secrets: the values of secret keys, and those values wherever else they stand."""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, QuotedString, RangeSweep
from hydra.errors import HydraException

from hydra_callback_kit.configs.secret_keys import DEFAULT_SECRET_KEYS, SecretKeys
from hydra_callback_kit.journal.command_line import HYDRA_OPTIONS
from hydra_callback_kit.journal.encoder import to_json
from hydra_callback_kit.journal.masking import MIN_SECRET, Secrets, passwords_in

_NO_TEXT: Final = frozenset((bool, float, int, type(None)))
"""Types of values that are secret by their key alone."""


class Redaction:
    """Replaces secrets.

    Args:
        secret_keys: the words that make a key secret, see `SecretKeys`.
        key: what the numbers of the marks are made with; see `masking`.

    Attributes:
        keys: recognises secret keys.
    """

    def __init__(self, secret_keys: Iterable[str] = DEFAULT_SECRET_KEYS, key: bytes = b"") -> None:
        self.keys = SecretKeys(secret_keys)
        self._known = Secrets(key, self.keys.words)

    def mark(self, secret: Any) -> str:
        """What is written in the place of a secret."""
        return self._known.mark(secret if isinstance(secret, str) else json.dumps(secret, default=str))

    def learn(self, secrets: Iterable[str]) -> bool:
        """Takes the texts of secrets in: from now on they are hidden wherever they stand. Tells whether one was new."""
        return self._known.learn(secrets)

    def count_as(self, earlier: Mapping[str, str]) -> None:
        """Gives secrets the marks that they have on record, by those that they would have."""
        self._known.count_as(earlier)

    def known(self) -> list[str]:
        """The texts of the secrets that are known."""
        return self._known.texts()

    def of_text(self, text: str) -> str:
        """Returns a text without the secrets that are known, and without the passwords of the addresses in it."""
        text = self._known.hide(text)
        for password in passwords_in(text) if self.keys.words else ():
            text = text.replace(f":{password}@", f":{self.mark(password)}@")
        return text

    def of_texts(self, value: Any) -> Any:
        """Returns JSON-like `value` with the secrets replaced that are known; what its keys are called tells nothing."""
        if isinstance(value, dict):
            return {self._of_key(key): self.of_texts(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of_texts(item) for item in value]
        return self.of_text(value) if isinstance(value, str) else value

    def of_value(self, value: Any) -> Any:
        """Returns JSON-like `value` with the values of secret keys replaced, at any depth; null stays null."""
        if isinstance(value, dict):
            secret = self.keys.secret_ones(value)
            items = [
                # most are numbers, and a call takes longer than all else that is done for one
                item if type(item) in _NO_TEXT and key not in secret else self._of_item(key, item)
                for key, item in value.items()
            ]
            return dict(zip(self._known.hide_inside_all(value), items, strict=True))
        if isinstance(value, list):
            return [item if type(item) in _NO_TEXT else self.of_value(item) for item in value]
        return self.of_text(value) if isinstance(value, str) else value

    def _of_item(self, key: Any, item: Any) -> Any:
        return self.mark(item) if self.keys.hides(str(key), item) else self.of_value(item)

    def of_result(self, value: Any) -> Any:
        """Returns what a job returned, JSON-like, the texts below secret keys replaced; `token_accuracy` is a number."""
        if isinstance(value, dict):
            return {
                self._of_key(key): self._without_texts(item) if self.keys.is_secret(key) else self.of_result(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.of_result(item) for item in value]
        return self.of_text(value) if isinstance(value, str) else value

    def encoded(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns named values as `encoder.to_json` makes them, without secrets.

        A text under a secret key in them is a secret as well, wherever it stands. Secrets are hidden before anything is cut.
        """
        made = {name: to_json(value, self.of_text) for name, value in values.items()}
        if self.learn(self.secrets_in(made, only_texts=True)):
            made = {name: to_json(value, self.of_text) for name, value in values.items()}
        result: dict[str, Any] = self.of_result(made)
        return result

    def secrets_in(self, value: Any, *, only_texts: bool = False) -> list[str]:
        """Collects the secrets of JSON-like `value`: what stands below secret keys, and the passwords of addresses.

        Args:
            value: the value.
            only_texts: whether a number is none, as in results.
        """
        found: list[str] = []
        if isinstance(value, dict):
            secret = self.keys.secret_ones(value)
            for key, item in value.items():
                if key in secret and (only_texts or self.keys.hides(str(key), item)):
                    found += _texts(item, only_texts)
                elif type(item) not in _NO_TEXT:
                    found += self.secrets_in(item, only_texts=only_texts)
        elif isinstance(value, list):
            for item in value:
                if type(item) not in _NO_TEXT:
                    found += self.secrets_in(item, only_texts=only_texts)
        elif isinstance(value, str) and self.keys.words:
            found = passwords_in(value)
        return found

    def secrets_in_overrides(self, overrides: Iterable[str]) -> list[str]:
        """Collects the secrets that overrides set."""
        return [secret for override in overrides for secret in self._read(override).secrets]

    def secret_keys_of(self, overrides: Iterable[str]) -> list[str]:
        """The keys of the overrides whose values are hidden."""
        return [read.key.lstrip("+~") for override in overrides if (read := self._read(override)).hidden is not None]

    def of_override(self, override: str) -> str:
        """Returns an override of Hydra's, its value replaced if its key, or a key inside its value, is secret."""
        read = self._read(override)
        if read.hidden is not None:
            return f"{self._of_key(read.key)}={self.mark(read.hidden)}"
        name, equals, text = override.partition("=")
        # a value that is a secret as a whole may be a short one
        return self.of_text(f"{name}{equals}{self._known.hide(text)}")

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
            elif equals and name not in HYDRA_OPTIONS and self.keys.is_secret(name.lstrip("-")):
                redacted.append(f"{name}={self.mark(text)}")
            else:
                redacted.append(self.of_text(word))
            secret_follows = (
                word.startswith("--") and not equals and word not in HYDRA_OPTIONS and self.keys.is_secret(word.lstrip("-"))
            )
        return redacted

    def _of_key(self, key: Any) -> Any:
        return self._known.hide_inside(key) if isinstance(key, str) else key

    def _without_texts(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._of_key(key): self._without_texts(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._without_texts(item) for item in value]
        return self.mark(value) if isinstance(value, str) else value

    def _read(self, override: str) -> "_Override":
        if "=" not in override or not self.keys.are_named_in(override):
            return _Override(override, None, tuple(passwords_in(override)) if self.keys.words else ())
        return _read(self.keys, override)


class _Override(NamedTuple):
    """An override, as far as secrets are concerned."""

    key: str
    hidden: str | None
    """What is hidden of it; None for nothing."""
    secrets: tuple[str, ...]


@functools.lru_cache(maxsize=512)  # an override is read for several lines, and Hydra's grammar takes its time
def _read(keys: SecretKeys, override: str) -> _Override:
    name, _, text = override.partition("=")
    try:
        parsed = OverridesParser.create().parse_override(override)
    except HydraException:
        return _Override(name, text, (text,))  # unreadable, and a secret word stands in it
    key, value = parsed.get_key_element(), parsed._value  # noqa: SLF001  `value()` refuses sweeps
    bare = key.lstrip("+~")
    secrets = [leaf for leaf in _leaves(value) if keys.hides(bare, leaf)]
    inside = list(_inside(keys, value))
    if not secrets and not inside:
        return _Override(key, None, tuple(passwords_in(override)))
    single = isinstance(value, (str, int, float, QuotedString))
    texts = [text for leaf in (*secrets, *inside) for text in _texts(leaf, only_texts=False)]
    return _Override(key, str(parsed.value()) if single else text, (*texts, *passwords_in(override)))


def _inside(keys: SecretKeys, value: Any) -> Iterator[Any]:
    """What stands below secret keys inside of a value."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            hidden = [leaf for leaf in _leaves(item) if keys.hides(str(key), leaf)]
            yield from hidden or _inside(keys, item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _inside(keys, item)
    else:
        for name in ("list", "args"):
            yield from _inside(keys, getattr(value, name, ()))


def _leaves(value: Any) -> Iterator[Any]:
    """The single values of what Hydra's grammar has read: of lists, mappings and sweeps."""
    if isinstance(value, (RangeSweep, IntervalSweep)):
        yield 0.0  # any number says as much
    elif isinstance(value, (Mapping, list, tuple, ChoiceSweep)):
        items = value.values() if isinstance(value, Mapping) else value.list if isinstance(value, ChoiceSweep) else value
        for item in items:
            yield from _leaves(item)
    else:
        yield value.text if isinstance(value, QuotedString) else value


def _texts(value: Any, only_texts: bool) -> list[str]:
    if isinstance(value, (dict, list)):
        items = value.values() if isinstance(value, dict) else value
        return [text for item in items for text in _texts(item, only_texts)]
    if isinstance(value, (str, PurePath)):
        return [str(value)]
    if isinstance(value, bytes):
        return [value.decode("utf-8", "backslashreplace"), repr(value)[2:-1]]
    # a number is looked for in texts if it is long enough; another number is never the same secret
    is_long = type(value) is int and not only_texts and len(str(value)) >= MIN_SECRET
    return [str(value)] if is_long else []
