"""A job's overrides as a mapping from key to typed value, read with Hydra's own parser."""

import functools
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_KEY: Final = r"\+{0,2}([A-Za-z_][A-Za-z0-9_]*(?:[./][A-Za-z_][A-Za-z0-9_]*)*)"
_PLAIN: Final = re.compile(r"(?!(?i:null|true|false|nan|inf)$)[A-Za-z/][A-Za-z0-9_./-]*")
_INT: Final = re.compile(_KEY + r"=([+-]?(?:0|[1-9][0-9]*))")
_FLOAT: Final = re.compile(_KEY + r"=([+-]?(?:0|[1-9][0-9]*)\.[0-9]+(?:e[+-]?[0-9]+)?)")
_WORD: Final = re.compile(_KEY + r"=(?!(?:null|true|false|nan|inf)$)([a-z]+)")


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
    if _PLAIN.fullmatch(text):
        return text
    # a backslash escapes an interpolation, a quote, and other backslashes that stand before one of the two
    text = re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", text)
    text = re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + (r"\'" if found[2] else ""), text)
    return f"'{text}'"


@functools.lru_cache(maxsize=10_000)
def typed_override(override: str) -> tuple[str, Any]:
    """Reads one override; see `typed_overrides`.

    Hydra's parser takes a quarter of a millisecond, so the three commonest forms are recognised first: a plain key with
    an integer, a decimal number or a lower-case word. A property test holds them to what the parser says.
    """
    for form, kind in ((_INT, int), (_FLOAT, float), (_WORD, str)):
        match = form.fullmatch(override)
        if match:
            return match[1], kind(match[2])
    # importing Hydra takes longer than reading a sweep's journal, and most journals do not need its parser
    from hydra.core.override_parser.overrides_parser import OverridesParser  # noqa: PLC0415
    from hydra.errors import HydraException  # noqa: PLC0415

    try:
        parsed = OverridesParser.create().parse_override(override)
    except HydraException:
        key, _, text = override.partition("=")
        return key.lstrip("+"), text
    return _key(parsed), _value(parsed, override)


def _key(parsed: "Override") -> str:
    key = parsed.key_or_group if parsed.package is None else f"{parsed.key_or_group}@{parsed.package}"
    return f"~{key}" if parsed.is_delete() else key


def _value(parsed: "Override", override: str) -> Any:
    if parsed.is_sweep_override():
        return override.partition("=")[2]
    if parsed.is_delete() and "=" not in override:
        return True
    return parsed.value()
