"""Which nodes of a config hold others."""

from typing import Any, TypeGuard

from omegaconf import AnyNode, DictConfig, ListConfig


def is_container(node: Any) -> TypeGuard[DictConfig | ListConfig]:
    """Whether a node is a mapping or a list, be it null, missing or an interpolation.

    OmegaConf's containers are abstract classes, and to ask for these takes several times as long as to compare a type. Most
    nodes are leaves.
    """
    return type(node) is not AnyNode and isinstance(node, (DictConfig, ListConfig))
