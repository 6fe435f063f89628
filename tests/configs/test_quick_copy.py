"""A quick copy is what `copy.deepcopy` makes, and a config that copies itself quickly is the same config."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from typed_configs import PLAIN, made, nodes

from hydra_callback_kit.configs.difference import difference
from hydra_callback_kit.configs.quick_copy import QuickConfig, let_copies_be_quick, made_quick, quick_copy
from hydra_callback_kit.configs.reading import reading


@given(PLAIN, st.booleans(), st.none() | st.booleans())
def test_it_is_what_deepcopy_makes(plain: Any, readonly: bool, struct: bool | None) -> None:
    """Every key, value, type, flag and answer; and nothing is shared that can be changed."""
    config = made(plain, readonly, struct)
    for of in (config, config.inner):
        copied = quick_copy(of)
        assert difference(copied, copy.deepcopy(of)) is None
        assert difference(copied, of) is None
        assert copied._get_parent() is of._get_parent()
        assert not {id(each) for each in nodes(copied)} & {id(each) for each in nodes(of)}
        for mine, theirs in zip(nodes(copied), nodes(of), strict=True):
            assert mine._metadata is not theirs._metadata
            assert mine._metadata.resolver_cache is not theirs._metadata.resolver_cache
        assert all(each._get_parent() in nodes(copied) for each in nodes(copied)[1:])
    quick_copy(config)._metadata.resolver_cache["now"]["a"].append(2)
    assert OmegaConf.get_cache(config)["now"]["a"] == [1]


@pytest.mark.parametrize("way", [copy.deepcopy, copy.copy, lambda config: pickle.loads(pickle.dumps(config))])
def test_a_config_copies_itself_as_it_is_now(way: Any) -> None:
    """Also after changes, and a copy of it is an ordinary config."""
    config = made({"a": [1]}, readonly=True, struct=True)
    let_copies_be_quick(config)
    before = vars(way(config))
    with open_dict(config):
        config.new = {"b": 1}
    copied = way(config)
    assert difference(copied, config) is None
    assert copied.new.b == 1
    assert copied is not config
    with open_dict(copied):
        copied.new.b = 2
        assert way(copied).new.b == 2
    assert config.new.b == 1
    assert "new" not in before["_content"]


def test_a_copy_that_was_made_quickly_is_an_ordinary_config() -> None:
    """No more than the config itself is different."""
    config = made({}, readonly=False, struct=None)
    let_copies_be_quick(config)
    assert set(vars(copy.deepcopy(config))) == set(vars(made({}, readonly=False, struct=None)))


def test_it_can_be_copied_while_it_is_read() -> None:
    """Its containers are of another class for that time."""
    config = made({"a": {"b": 1}}, readonly=False, struct=None)
    let_copies_be_quick(config)
    with reading(config):
        copied = copy.deepcopy(config)
    assert difference(copy.deepcopy(copied), config) is None


@given(PLAIN, st.booleans(), st.none() | st.booleans())
def test_a_quick_node_is_copied_as_any_other(plain: Any, readonly: bool, struct: bool | None) -> None:
    """And its copies are quick as well, wherever in a config they are, also while the config is read."""
    config = made(plain, readonly, struct)
    expected = copy.deepcopy(config.inner)
    with read_write(config), open_dict(config):
        config.inner = made_quick(copy.deepcopy(expected))
    with reading(config):
        read = copy.deepcopy(config)
    for copied in (copy.deepcopy(config), copy.deepcopy(copy.deepcopy(config)), quick_copy(config), read):
        assert type(copied._get_node("inner")) is QuickConfig
        assert difference(copied.inner, expected) is None
        assert copied._get_node("inner")._get_parent() is copied
    assert type(config._get_node("inner")) is QuickConfig


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_quick_node_is_pickled_as_an_ordinary_one(protocol: int) -> None:
    """A config that was pickled can be loaded where this package is not, and no task function could tell them apart."""
    config = OmegaConf.create({"outer": {}})
    config.outer = made_quick(OmegaConf.create({"a": 1}))
    pickled = pickle.dumps(config, protocol)
    assert b"hydra_callback_kit" not in pickled
    loaded = pickle.loads(pickled)
    assert type(loaded.outer) is DictConfig
    assert difference(loaded, config) is difference(config, loaded) is None


@given(PLAIN, st.booleans(), st.none() | st.booleans())
def test_after_a_merge_a_quick_node_is_the_parent_of_what_it_holds(plain: Any, readonly: bool, struct: bool | None) -> None:
    """Whatever was noted there before; and no node goes on with a flag that it has from where it was."""
    quick, ordinary = (made({"plain": plain}, readonly, struct) for _ in range(2))
    made_quick(quick.inner)
    for config in (quick, ordinary):
        for node in nodes(config):
            node._get_flag("readonly")
        for node in nodes(config.inner)[1:]:
            node.__dict__["_parent"] = None
        for node in (config, config.inner):  # of these alone: the others go on with theirs
            node.__dict__["_flags_cache"] = None
        config._metadata.flags["readonly"] = True
        config.inner._metadata.flags.pop("readonly", None)
        config._re_parent()
    assert [each._get_flag("readonly") for each in nodes(quick)] == [each._get_flag("readonly") for each in nodes(ordinary)]
    places = [id(each) for each in nodes(quick)], [id(each) for each in nodes(ordinary)]
    mine, theirs = (
        [None if (of := each._get_parent()) is None else ids.index(id(of)) for each in nodes(config)]
        for config, ids in zip((quick, ordinary), places, strict=True)
    )
    assert mine == theirs
    assert all(each._get_flag("readonly") for each in nodes(quick.inner))
