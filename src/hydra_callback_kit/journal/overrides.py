"""Overrides, read with Hydra's own parser: a job's as a mapping from key to typed value, a sweep's as what it varies."""

import functools
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_PLAIN: Final = r"(?!(?i:null|true|false|nan|inf)$)[A-Za-z/][A-Za-z0-9_./-]*"
_KEY: Final = r"\+{0,2}([A-Za-z_][A-Za-z0-9_]*(?:[./][A-Za-z_][A-Za-z0-9_]*)*)"
_VALUE: Final = (
    r"([+-]?(?:0|[1-9][0-9]{0,600}))"  # Python refuses to read thousands of digits
    r"|([+-]?(?:0|[1-9][0-9]*)\.[0-9]+(?:e[+-]?[0-9]+)?)"
    r"|((?!(?:null|true|false|nan|inf)$)[a-z]+)"
)
MAX_PARSED: Final = 10_000
"""Characters of an override that are parsed, which takes a second; a longer one, which takes minutes, is kept as text."""
_KIND: Final[tuple[Callable[[str], Any], ...]] = (str, int, float, str)


def typed_overrides(overrides: Iterable[str]) -> dict[str, Any]:
    """Reads overrides such as `["model=cnn", "optim.lr=0.1", "+seed=3", "~extra"]`.

    Args:
        overrides: what Hydra passed to a job.

    Returns:
        Value by key, in the overrides' order, the last one counting. A key is written as in the config, without `+`; a
        deleted one keeps its `~` and has the value True, or the value it was deleted with. What Hydra cannot read (a
        redacted value among them) is kept as text.
    """
    return dict(map(typed_override, overrides))


def quoted_value(text: str) -> str:
    """Writes a text so that it is a value in Hydra's override grammar: in quotes, unless it is a plain path or word."""
    if re.fullmatch(_PLAIN, text):
        return text
    # a backslash escapes an interpolation, a quote, and other backslashes that stand before one of the two
    text = re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", text)
    text = re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + (r"\'" if found[2] else ""), text)
    return f"'{text}'"


def override_key(override: str) -> str:
    """The key of an override, as `typed_overrides` writes it."""
    return override.partition("=")[0].lstrip("+").strip()


def typed_override(override: str) -> tuple[str, Any]:
    """Reads one override; see `typed_overrides`.

    Hydra's parser takes a quarter of a millisecond, so the three commonest forms are recognised first: a plain key with
    an integer, a decimal number or a lower-case word. A property test holds them to what the parser says.
    """
    name, equals, text = override.partition("=")
    key = _plain_key(name) if equals else None
    if key is not None:
        match = re.fullmatch(_VALUE, text)
        if match is not None:
            return key, _KIND[match.lastindex or 0](text)
    return override_key(override), _parsed_value(override)


@functools.lru_cache(maxsize=1_000)
def _plain_key(name: str) -> str | None:
    match = re.fullmatch(_KEY, name)
    return match and match[1]


@functools.lru_cache(maxsize=10_000)
def _parsed_value(override: str) -> Any:
    # importing Hydra takes longer than reading a sweep's journal, and most journals do not need its parser
    from hydra.core.override_parser.overrides_parser import OverridesParser  # noqa: PLC0415  the same
    from hydra.errors import HydraException  # noqa: PLC0415  the same

    if len(override) > MAX_PARSED:
        return override.partition("=")[2]
    try:
        return _value(OverridesParser.create().parse_override(override), override)
    except (HydraException, ValueError, RecursionError):  # the latter for numbers that are too long, and too many brackets
        return override.partition("=")[2]


def _value(parsed: "Override", override: str) -> Any:
    if parsed.is_sweep_override():
        return override.partition("=")[2]
    value = parsed.value()
    # Hydra's sweepers write `~x` as `~x=null`, where an empty cell would say that nothing was deleted
    return True if parsed.is_delete() and value is None else value
