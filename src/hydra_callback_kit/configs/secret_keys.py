"""Which config keys hold secrets: those that have a secret word in them."""

import functools
import re
from collections.abc import Iterable
from typing import Any, Final

DEFAULT_SECRET_KEYS: Final = (
    *("password", "passwords", "passwd", "passphrase", "token", "secret", "secrets", "credential", "credentials"),
    *("api_key", "api_keys", "access_key", "access_keys", "private_key", "private_keys", "secret_key", "secret_keys"),
)
"""A key is secret when it has one of these as a word: `db_password`, `apiKey`, `hf_token`; not `max_tokens`, not
`tokenizer`."""

_OF_A_VOCABULARY: Final = (
    r"(?:^|[^a-z])(?:"
    r"pad|padding|eos|bos|unk|unknown|mask|sep|separator|cls|class|special|start|end|stop|begin|first|last|next|prev|previous"
    r"|new|image|audio|video|speaker|prompt|prefix|suffix|blank|null|max|min|num|n|per|vocab|additional|added|extra|decoder"
    r"|target|source|input|output|sub|word|text|modality|context|query|key|value|position|label"
    r")_token$"
)
"""Keys that end with `token` and speak of a tokenizer's vocabulary."""
_SAYS_OF_TOKENS: Final = (
    r"token_(?:type|ids|embed|dropout|drop|classif|limit|count|len|prob|mask|size|dim|budget|level|shift|index|indices|position"
    r"|stats|rate|per|merg|prun|label|class|batch|mix|loss|acc|wise|num|max|min|weight|head|group|pool|select|norm)"
)
"""Keys that speak of the tokens of a text."""


class SecretKeys:
    """Recognises secret keys.

    Args:
        words: what makes a key secret; case, `-`, `_` and camelCase do not matter. A part of a word does not count (`token`
            is not in `tokenizer`). With the default words, `token` counts at the end of a key alone, and not in what a
            tokenizer calls its own (`pad_token`).

    Attributes:
        words: the words, in lower case, their parts joined by `_`.
    """

    def __init__(self, words: Iterable[str] = DEFAULT_SECRET_KEYS) -> None:
        words = tuple(words)
        self.words = tuple(map(_normalised, words))
        self._letters = [word.replace("_", "") for word in self.words]
        self._is_default = words == DEFAULT_SECRET_KEYS
        self._asked: dict[str, bool] = {}

    def is_secret(self, key: str) -> bool:
        """Tells whether values under this key are secret."""
        answer = self._asked.get(key)  # the jobs of a sweep share their keys
        if answer is None:
            if len(self._asked) > _MAX_ASKED:
                self._asked.clear()
            answer = self._asked[key] = self._is_secret(key)
        return answer

    def secret_ones(self, keys: Iterable[Any]) -> set[Any]:
        """Those of some keys that are secret; most mappings have none."""
        asked = self._asked
        return {key for key in keys if asked.get(key) is not False and self.is_secret(str(key))}

    def hides(self, key: str, value: Any) -> bool:
        """Tells whether a value is secret because of its key.

        Null and booleans are not, and numbers only where the key ends with the word: `password`, not `token_dropout`.
        """
        if value is None or isinstance(value, bool) or not self.is_secret(key):
            return False
        return not isinstance(value, (int, float)) or self._secret_end.search(_normalised(key)) is not None

    def are_named_in(self, text: str) -> bool:
        """Tells whether a secret word may stand in a text; it is quick, and has to be looked at closely then."""
        letters = text.lower().replace("_", "").replace("-", "")
        return any(word in letters for word in self._letters)

    def _is_secret(self, key: str) -> bool:
        # most keys hold no such word in any form, and the expression takes a while to be made
        normalised = _normalised(key)
        letters = normalised.replace("_", "")
        if not any(word in letters for word in self._letters):
            return False
        words = [found[0] for found in self._secret.finditer(normalised)]
        if words == ["token"] and self._is_default:
            return not re.search(_OF_A_VOCABULARY, normalised) and not re.search(_SAYS_OF_TOKENS, normalised)
        return bool(words)

    @functools.cached_property
    def _secret(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self._alternatives})(?![a-z])")

    @functools.cached_property
    def _secret_end(self) -> re.Pattern[str]:
        return re.compile(f"(?:{self._alternatives})$")

    @property
    def _alternatives(self) -> str:
        # no other word ends with these, and people write PGPASSWORD
        whole = ("" if word in ("password", "passwd", "passphrase") else "(?<![a-z])" for word in self.words)
        return "|".join(start + re.escape(word).replace("_", "_?") for start, word in zip(whole, self.words, strict=True))


_MAX_ASKED: Final = 4_096


def _normalised(key: str) -> str:
    words = key if key.islower() else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
    return words.replace("-", "_").replace(" ", "_")
