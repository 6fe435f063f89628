"""Texts without the secrets that they carry.

What hides a secret is `<redacted 48213>`: two different secrets have two numbers, so that nothing that is grouped by them
is mixed up. The number comes from the secret and a key that is made for each run and is on no record, so that it tells
nobody anything.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final

MIN_SECRET: Final = 6
"""A secret of fewer characters is hidden under its own key, and is not looked for in other texts."""

_MARK: Final = re.compile(r"<redacted [0-9]+>")
_IN_URL: Final = re.compile(r"(?<=://)([^\s/:@]*):([^\s/@$<][^\s/@]*)(?=@)")
"""The user and the password of an address such as `postgres://me:secret@host/db`."""


def mark_of(secret: str, key: bytes) -> str:
    """What is written in the place of a secret.

    Args:
        secret: the secret's text.
        key: random, the run's own.
    """
    digest = hmac.new(key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return f"<redacted {int.from_bytes(digest[:8], 'big') % 90_000 + 10_000}>"


def is_marked(text: str) -> bool:
    """Tells whether a secret has been hidden in a text."""
    return "<redacted " in text and _MARK.search(text) is not None


def is_mark(text: str) -> bool:
    """Tells whether a text is nothing but what stands for a secret."""
    return _MARK.fullmatch(text) is not None


def quoted_marks(override: str) -> str:
    """An override whose value is a mark, in the quotes that Hydra's grammar wants."""
    return re.sub(rf"=({_MARK.pattern})$", r"='\1'", override)


def unquoted_marks(override: str) -> str:
    """Undoes `quoted_marks`."""
    return re.sub(rf"='({_MARK.pattern})'$", r"=\1", override)


def passwords_in(text: str) -> list[str]:
    """The passwords of the addresses in a text."""
    return [found[2] for found in _IN_URL.finditer(text)] if "://" in text else []


def masked(value: Any, marks: Mapping[str, str]) -> Any:
    """Returns JSON-like `value` with every secret replaced wherever it stands in a text.

    Args:
        value: the value.
        marks: what to write in the place of each secret.
    """
    if not marks:
        return value
    if isinstance(value, str):
        for secret in sorted(marks, key=lambda secret: (len(secret), secret), reverse=True):
            value = value.replace(secret, marks[secret])
        return value
    if isinstance(value, dict):
        return {key: masked(item, marks) for key, item in value.items()}
    return [masked(item, marks) for item in value] if isinstance(value, list) else value


def holds_text(value: Any) -> bool:
    """Tells whether JSON-like `value` holds a text that is long enough to hold a secret, keys aside."""
    if isinstance(value, str):
        return len(value) >= MIN_SECRET and not is_mark(value)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(holds_text, items))
