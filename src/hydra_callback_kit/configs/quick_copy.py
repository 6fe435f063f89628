"""Copies of a config as `copy.deepcopy` makes them, in a tenth of the time.

Hydra copies the config of each job four times before its task function is called.
"""

import copy
import functools
from collections import defaultdict
from typing import Any, Final, SupportsIndex, TypeVar, cast

from omegaconf import (
    AnyNode,
    BooleanNode,
    BytesNode,
    DictConfig,
    EnumNode,
    FloatNode,
    IntegerNode,
    ListConfig,
    PathNode,
    StringNode,
)
from omegaconf.base import Box, Metadata, Node

_Kind = TypeVar("_Kind", bound=Node)

_LEAVES: Final = frozenset((AnyNode, BooleanNode, BytesNode, EnumNode, FloatNode, IntegerNode, PathNode, StringNode))
"""Nodes whose value OmegaConf does not copy either."""


class QuickConfig(DictConfig):
    """A node of a config that is copied quickly wherever Hydra puts it, and so are its copies.

    Pickled, it is an ordinary `DictConfig`: who loads it need not have this package.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> "QuickConfig":
        """What OmegaConf's method of this name makes."""
        made: QuickConfig = _copied(self, self.__dict__["_parent"], memo)
        return made

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """What pickle writes; the oldest of its protocols is the one that takes another class."""
        how, (_, *base), *state = cast("tuple[Any, ...]", super().__reduce_ex__(0))
        return how, (DictConfig, *base), *state

    def _re_parent(self) -> None:
        """What OmegaConf's method of this name does, which each merge calls for all that the merged config holds."""
        _re_parent_below(self)


_CONTAINERS: Final = frozenset((DictConfig, ListConfig, QuickConfig))


def made_quick(config: DictConfig) -> QuickConfig:
    """Makes a config one of the above, in place.

    Args:
        config: a config that nobody else has.
    """
    object.__setattr__(config, "__class__", QuickConfig)
    return cast("QuickConfig", config)


def quick_copy(config: _Kind) -> _Kind:
    """Copies a config.

    Args:
        config: any config, or a node of one.

    Returns:
        What `copy.deepcopy` returns.
    """
    copied: _Kind = _copied(config, config.__dict__["_parent"], {})
    return copied


def let_copies_be_quick(config: DictConfig) -> None:
    """Makes `copy.deepcopy` of a config quick, as long as it is this one and not a copy of it.

    Args:
        config: any config; only how long a copy takes is different afterwards.
    """
    # Python asks an object for its `__deepcopy__`, and finds what stands on the object before what its class has
    config.__dict__["__deepcopy__"] = functools.partial(_deepcopy, config)


def _deepcopy(config: DictConfig, memo: dict[int, Any]) -> Any:
    return _copied(config, config.__dict__["_parent"], memo)


def _copied(node: Node, parent: Any, memo: dict[int, Any]) -> Any:
    kind, state = type(node), node.__dict__
    if kind in _LEAVES:
        made = kind.__new__(kind)
        made.__dict__.update(state, _metadata=_copied_metadata(state["_metadata"]), _parent=parent, _flags_cache=None)
        return made
    if kind not in _CONTAINERS:
        if not issubclass(kind, QuickConfig):
            return _as_omegaconf_does(node, parent, memo)
        kind = QuickConfig  # `reading` has put another class in its place for a while
    made = kind.__new__(kind)
    content, cache = state["_content"], state["_flags_cache"]
    if isinstance(content, dict):
        content = {key: _copied(value, made, memo) for key, value in content.items()}
    elif isinstance(content, list):
        content = [_copied(value, made, memo) for value in content]
    made.__dict__.update(
        _metadata=_copied_metadata(state["_metadata"]),
        _parent=parent,
        _flags_cache=None if cache is None else dict(cache),
        _content=content,
    )
    return made


def _re_parent_below(node: Node) -> None:
    content = node.__dict__["_content"]
    for value in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        kind = type(value)
        if kind in _LEAVES:
            value.__dict__.update(_parent=node, _flags_cache=None)
            continue
        value._set_parent(node)  # noqa: SLF001  which forgets the flags of all that is below
        if kind in _CONTAINERS:
            _re_parent_below(value)
        elif isinstance(value, Box):
            value._re_parent()  # noqa: SLF001  OmegaConf's own


def _copied_metadata(metadata: Metadata) -> Metadata:
    kind = type(metadata)
    made = kind.__new__(kind)
    state = made.__dict__
    state.update(metadata.__dict__)
    flags, cache = state["flags"], state["resolver_cache"]
    if flags is not None:
        state["flags"] = dict(flags)
    state["resolver_cache"] = copy.deepcopy(cache) if cache else defaultdict(dict)
    return made


def _as_omegaconf_does(node: Node, parent: Any, memo: dict[int, Any]) -> Any:
    """A copy of a node of another kind; its parent is not copied along."""
    own = node.__dict__["_parent"]
    node.__dict__["_parent"] = None
    try:
        how = getattr(type(node), "__deepcopy__", None)  # not the node's own, which leads here
        made = copy.deepcopy(node, memo) if how is None else how(node, memo)
    finally:
        node.__dict__["_parent"] = own
    made.__dict__["_parent"] = parent
    return made
