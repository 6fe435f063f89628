"""Where two configs differ: in a key, its order, a value, a type, a flag or the cache of resolvers."""

from collections.abc import Iterator
from typing import Any, Final

from omegaconf import DictConfig, OmegaConf
from omegaconf.base import Node

from hydra_callback_kit.configs.quick_copy import QuickConfig

_METADATA: Final = ("ref_type", "object_type", "optional", "key", "flags_root", "key_type", "element_type")


def difference(one: DictConfig, other: DictConfig) -> str | None:
    """Finds the first difference between two configs; nothing is resolved.

    Args:
        one: a config.
        other: another.

    Returns:
        The key and what differs there, such as `db.port: int instead of str`; None if no task function could tell them
        apart. What the first has is named first.
    """
    found = next(_differences(one, other, ""), None)
    if found is None and OmegaConf.get_cache(one) != OmegaConf.get_cache(other):
        found = "", "other values in the cache of resolvers"
    return found and f"{found[0] or '(the whole)'}: {found[1]}"


def _differences(one: Any, other: Any, key: str) -> Iterator[tuple[str, str]]:
    if _kind(one) is not _kind(other):
        yield key, f"{type(one).__name__} instead of {type(other).__name__}"
        return
    if not isinstance(one, Node):
        if one != other and not (one != one and other != other):  # noqa: PLR0124  NaN
            yield key, "another value"
        return
    for name in _METADATA:
        mine, theirs = (getattr(node._metadata, name, None) for node in (one, other))  # noqa: SLF001  nowhere else
        if mine != theirs:
            yield key, f"{name} {mine} instead of {theirs}"
    flags = [node._metadata.flags or {} for node in (one, other)]  # noqa: SLF001  the same
    if flags[0] != flags[1]:
        yield key, f"flags {flags[0]} instead of {flags[1]}"
    inside = [vars(node).get("_content", vars(node).get("_val")) for node in (one, other)]
    yield from _differences_inside(inside[0], inside[1], key)


def _kind(value: Any) -> type[Any]:
    """A node that is copied quickly is an ordinary one to whoever looks at it, and where it was pickled it is."""
    return DictConfig if isinstance(value, QuickConfig) else type(value)


def _differences_inside(one: Any, other: Any, key: str) -> Iterator[tuple[str, str]]:
    if type(one) is not type(other) or not isinstance(one, (dict, list, tuple)):
        yield from _differences(one, other, key)
    elif isinstance(one, dict):
        if [(type(each), each) for each in one] != [(type(each), each) for each in other]:
            yield key, f"the keys {list(one)} instead of {list(other)}"
        else:
            for name, value in one.items():
                yield from _differences(value, other[name], f"{key}.{name}".lstrip("."))
    elif len(one) != len(other):
        yield key, f"{len(one)} items instead of {len(other)}"
    else:
        for place, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _differences(mine, theirs, f"{key}[{place}]")
