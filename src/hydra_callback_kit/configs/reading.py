"""Reading a config without calling a resolver of the app's, and without leaving anything in the config's cache.

Hydra copies the resolver cache of a sweep's config into every job, so what a callback resolved there would be frozen for all
jobs; and a resolver that counts, draws or reads a clock answers each call differently. So while a config is read, its
containers answer the built-in interpolations and those whose answer is in the cache; all others raise.
"""

import contextlib
import copy
import random
import sys
from collections.abc import Iterator
from typing import Any, Final

from hydra.core.hydra_config import HydraConfig
from omegaconf import Container, DictConfig, Node, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.containers import is_container

_BUILT_IN: Final = frozenset(
    (
        *("oc.env", "oc.decode", "oc.select", "oc.deprecated", "oc.dict.keys", "oc.dict.values", "oc.create"),
        "python_version",
    )
)
"""Resolvers of OmegaConf's and Hydra's that say the same each time and keep nothing."""


class AnswerNotKnownError(ValueError):
    """An interpolation asks a resolver of the app's, which has not answered yet."""


@contextlib.contextmanager
def reading(config: DictConfig) -> Iterator[None]:
    """While it is open, interpolations of a config are answered as far as that needs no resolver of the app's.

    What cannot be answered raises an `OmegaConfBaseException`, as what cannot be resolved does. `${hydra:...}` is answered
    from the config's own `hydra` node where there is one, `${now:...}` if the config has answered it before.

    Args:
        config: a config that Hydra handed to a hook; only the calling thread may look at it.
    """
    changed: list[tuple[Container, type]] = []
    _make_readable(config, changed)
    try:
        yield
    finally:
        for container, kind in changed:
            object.__setattr__(container, "__class__", kind)


def known_value(config: DictConfig, key: str) -> Any:
    """The value at a dotted key.

    Args:
        config: a config that Hydra handed to a hook.
        key: such as `hydra.run.dir`.

    Returns:
        None if it is not there, `???`, or not to be known without calling a resolver of the app's.
    """
    with reading(config), contextlib.suppress(OmegaConfBaseException):
        return OmegaConf.select(config, key)
    return None


@contextlib.contextmanager
def resolving(config: DictConfig) -> Iterator[DictConfig]:
    """Gives a copy of a config in which every resolver may be called: for keys that a callback's own parameters name.

    What they answer stays in the copy. What they draw from Python's and NumPy's random numbers is put back.

    Args:
        config: a config that Hydra handed to a hook.
    """
    copied = copy.deepcopy(config)
    before = HydraConfig.instance().cfg
    HydraConfig.instance().cfg = copied  # type: ignore[assignment]  # Hydra too keeps a config with a `hydra` node there
    try:
        with unchanged_randomness():
            yield copied
    finally:
        HydraConfig.instance().cfg = before


@contextlib.contextmanager
def unchanged_randomness() -> Iterator[None]:
    """Puts the random state of Python, and of NumPy where it is imported, back to what it was."""
    state = random.getstate()
    numpy = sys.modules.get("numpy.random")
    numpy_state = numpy.get_state() if numpy is not None else None
    try:
        yield
    finally:
        random.setstate(state)
        if numpy is not None:
            numpy.set_state(numpy_state)


_readable: dict[type, type] = {}
"""The subclass of each class of containers that reads as is said above."""


def _make_readable(container: Container, changed: list[tuple[Container, type]]) -> None:
    kind = type(container)
    if kind in _readable.values():
        return  # it is being read already
    if kind not in _readable:
        _readable[kind] = type(
            kind.__name__, (kind,), {"_evaluate_custom_resolver": _evaluate, "__module__": kind.__module__}
        )
    changed.append((container, kind))
    object.__setattr__(container, "__class__", _readable[kind])
    content = container.__dict__["_content"]
    for item in content.values() if isinstance(content, dict) else content if isinstance(content, (list, tuple)) else ():
        if is_container(item):
            _make_readable(item, changed)


def _evaluate(
    self: Any, key: Any, node: Node, inter_type: str, inter_args: tuple[Any, ...], inter_args_str: tuple[str, ...]
) -> Any:
    """Stands in for OmegaConf's method of this name."""
    root = self._get_root()
    if inter_type == "hydra":
        return OmegaConf.select(_hydra_node(root), *inter_args)
    if inter_type not in _BUILT_IN and inter_args_str not in OmegaConf.get_cache(root).get(inter_type, {}):
        raise AnswerNotKnownError(f"only the app's resolver {inter_type!r} can tell")
    answer = super(type(self), self)._evaluate_custom_resolver(key, node, inter_type, inter_args, inter_args_str)
    if isinstance(answer, Container):  # made for this answer, or a part of the config
        _make_readable(answer, [])
    return answer


def _hydra_node(root: Any) -> Any:
    if isinstance(root, DictConfig) and "hydra" in root:
        return root._get_node("hydra")  # noqa: SLF001  nothing is resolved on the way
    return HydraConfig.get()
