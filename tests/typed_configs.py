"""Configs with typed values, flags and answers of resolvers, for tests of what copies and compares them."""

import dataclasses
from typing import Any

from hypothesis import strategies as st
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.base import Node
from strategies import Colour


@dataclasses.dataclass
class Inner:
    """Typed values of all kinds."""

    number: int | str = 1
    maybe: float | None = None
    colour: Colour = Colour.RED
    missing: str = MISSING
    text: bytes = b"x"
    table: dict[str, int] = dataclasses.field(default_factory=lambda: {"a": 1})
    rows: list[list[int]] = dataclasses.field(default_factory=lambda: [[1], [2]])


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "???", "${x}", "${x}b", "text"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "x", 1, True, 2.5]), inner, max_size=3)
    ),
    max_leaves=12,
)


def nodes(node: Any) -> list[Node]:
    """All nodes of a config, itself included."""
    content = vars(node).get("_content")
    below = content.values() if isinstance(content, dict) else content if isinstance(content, list) else [content]
    return [node, *(each for child in below if isinstance(child, Node) for each in nodes(child))]


def made(plain: Any, readonly: bool, struct: bool | None) -> DictConfig:
    """A config with typed values, flags and answers of resolvers."""
    config = OmegaConf.create({"plain": plain, "inner": OmegaConf.structured(Inner), "x": 1, "at": "${now:%f}"})
    OmegaConf.set_readonly(config.inner, readonly)
    OmegaConf.set_struct(config, struct)
    OmegaConf.get_cache(config)["now"]["a"] = [1]
    return config
