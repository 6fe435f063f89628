"""What a task function could tell apart is a difference."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from omegaconf import DictConfig, OmegaConf, open_dict
from strategies import Colour
from typed_configs import PLAIN, Inner, made

from hydra_callback_kit.configs.difference import difference


@given(PLAIN, PLAIN)
def test_equal_configs_do_not_differ_and_others_do(one: Any, other: Any) -> None:
    """As far as Python's own equality can tell them apart."""
    first, second = made(one, readonly=False, struct=None), made(other, readonly=False, struct=None)
    assert difference(first, made(one, readonly=False, struct=None)) is None
    if repr(one) != repr(other):
        assert difference(first, second) is not None
        assert difference(second, first) is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda config: config.update(x=2), "x: another value"),
        (lambda config: config.update(x=1.0), "x: float instead of int"),
        (lambda config: config.update(x=True), "x: bool instead of int"),
        (lambda config: config.inner.rows[1].append(3), "inner.rows[1]: 2 items instead of 1"),
        (lambda config: config.inner.__setitem__("colour", Colour("#f00")), None),
        (lambda config: config.__setitem__("inner", {"number": 1}), "inner: object_type "),
        (lambda config: OmegaConf.set_readonly(config.inner, True), "inner: flags {'readonly': True} instead of {}"),
        (lambda config: OmegaConf.get_cache(config)["now"].clear(), "(the whole): other values in the cache of resolvers"),
        (lambda config: config.update(x=None), "x: NoneType instead of int"),
        (lambda config: config.__delitem__("at"), "(the whole): the keys ['plain', 'inner', 'x'] instead of "),
        (lambda config: config.update(at="${now:%f} "), "at: another value"),
    ],
)
def test_each_kind_of_difference_is_found(change: Callable[[DictConfig], object], said: str | None) -> None:
    """With its key."""
    config, other = (made({"missing": None}, readonly=False, struct=None) for _ in range(2))
    other.inner = OmegaConf.structured(Inner)
    config.inner = OmegaConf.structured(Inner)
    with open_dict(config):
        OmegaConf.set_struct(config.inner, None)
        OmegaConf.set_struct(other.inner, None)
        change(config)
    found = difference(config, other)
    assert (found is None) if said is None else (found or "").startswith(said), found
