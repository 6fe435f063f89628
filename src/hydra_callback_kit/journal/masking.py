"""Texts without the secrets that they carry."""

from collections.abc import Collection
from typing import Any, Final

REDACTED: Final = "<redacted>"

MIN_SECRET: Final = 6
"""A secret of fewer characters is hidden under its own key, and is not looked for in other texts."""


def masked(value: Any, secrets: Collection[str]) -> Any:
    """Returns JSON-like `value` with every secret replaced wherever it stands in a text."""
    if not secrets:
        return value
    if isinstance(value, str):
        for secret in sorted(secrets, key=lambda secret: (len(secret), secret), reverse=True):
            value = value.replace(secret, REDACTED)
        return value
    if isinstance(value, dict):
        return {key: masked(item, secrets) for key, item in value.items()}
    return [masked(item, secrets) for item in value] if isinstance(value, list) else value


def holds_text(value: Any) -> bool:
    """Tells whether JSON-like `value` holds a text that is long enough to hold a secret, keys aside."""
    if isinstance(value, str):
        return len(value) >= MIN_SECRET and value != REDACTED
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(holds_text, items))
