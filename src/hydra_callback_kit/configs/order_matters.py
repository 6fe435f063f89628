"""Where it matters when Hydra sets a value: before or after what else it writes into a job's config.

Hydra sets the values of a job's overrides, and then writes into the `hydra` node what it knows of the job. The other way
round comes to the same, unless one of the two reads what the other writes, which takes an interpolation.
"""

from collections.abc import Iterator
from typing import Any, Final

from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import Container, DictConfig, ValueNode
from omegaconf._utils import split_key
from omegaconf.base import Node, UnionNode

_READ_BY_HYDRA: Final = (
    *("hydra.overrides.task", "hydra.overrides.hydra", "hydra.runtime.choices", "hydra.job.env_set", "hydra.job.env_copy"),
    "hydra.job.config.override_dirname",
)
"""The nodes that Hydra reads when the values are set."""

_SETS: Final = (OverrideType.CHANGE, OverrideType.FORCE_ADD)


def interpolated_for_hydra(config: DictConfig) -> str | None:
    """Finds an interpolation where Hydra looks when it writes into a job's config.

    Args:
        config: a config that Hydra has composed.

    Returns:
        The key; None if there is none.
    """
    for key in _READ_BY_HYDRA:
        node: Node | None = config
        for name in key.split("."):
            node = _child(node, name)
            if node is not None and node._is_interpolation():  # noqa: SLF001  it is not resolved
                return key
        if key == "hydra.job.env_copy" and _holds_interpolations(node):
            return key
    return None


def why_order_matters(override: Override, config: DictConfig) -> str | None:
    """Tells why Hydra itself has to set a value.

    Args:
        override: sets, adds or deletes a value; it chooses no option of a group.
        config: in which it is about to do so.

    Returns:
        None if it makes no difference when the value is set.

    Raises:
        LookupError: if that cannot be told.
    """
    value = override.value()
    text = f"`{override.key_or_group}` is set through an interpolation"
    if isinstance(value, (dict, list)) and "${" in str(override.input_line):
        return f"the value of `{override.key_or_group}` holds an interpolation"
    *above, last = split_key(override.key_or_group)
    node: Node | None = config
    for name in above:
        node = _child(node, name)
        if isinstance(node, UnionNode) or (node is not None and node._is_interpolation()):  # noqa: SLF001  it is not resolved
            return text
    node = _child(node, last)
    if node is None:
        return None
    if override.type not in _SETS and node._is_interpolation():  # noqa: SLF001  the same
        return text
    compares = override.type is OverrideType.DEL and value is not None
    merges = isinstance(value, (dict, list)) and override.type in (*_SETS, OverrideType.ADD)
    if (compares or merges) and _holds_interpolations(node):
        return f"`{override.key_or_group}` holds an interpolation"
    return None


def is_there(key: str, config: DictConfig) -> bool:
    """Tells whether the mapping that a key lies in is there already, inside mappings alone.

    Args:
        key: dotted; what itself is called so may be missing.
        config: where to look.

    Raises:
        LookupError: if that cannot be told.
    """
    node: Node | None = config
    for name in split_key(key)[:-1]:
        node = _child(node, name)
        if type(node) is not DictConfig or not isinstance(node.__dict__["_content"], dict):
            return False
    return True


def is_of_one_value(override: Override, config: DictConfig) -> bool:
    """Tells whether an override does no more than to give a new value to a key that has one.

    Args:
        override: as above.
        config: in which it is about to do so.

    Raises:
        LookupError: if that cannot be told.
    """
    node: Node | None = config
    for name in split_key(override.key_or_group):
        node = _child(node, name)
    is_one = isinstance(node, ValueNode) and not isinstance(override.value(), (dict, list))
    return is_one and override.type is OverrideType.CHANGE and is_there(override.key_or_group, config)


def _child(node: Node | None, name: str) -> Node | None:
    """What lies below a node, unresolved; None if nothing does.

    Raises:
        LookupError: if only OmegaConf can tell, because there are keys that are no strings.
    """
    content = node.__dict__.get("_content") if isinstance(node, Container) else None
    if isinstance(content, dict):
        if name not in content and not all(isinstance(key, str) for key in content):
            raise LookupError(f"there are keys beside `{name}` that are no strings")
        return content.get(name)
    if isinstance(content, list) and name.lstrip("-").isdecimal() and -len(content) <= int(name) < len(content):
        child: Node | None = content[int(name)]
        return child
    return None


def _holds_interpolations(node: Node | None) -> bool:
    return any(each._is_interpolation() for each in _all(node))  # noqa: SLF001  it is not resolved


def _all(node: Any) -> Iterator[Node]:
    if isinstance(node, Node):
        yield node
        content = node.__dict__.get("_content")
        below = content.values() if isinstance(content, dict) else content if isinstance(content, list) else [content]
        for each in below:
            yield from _all(each)
