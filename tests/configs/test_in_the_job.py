"""The app's part of a config is the one that Hydra hands to the task function."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf, open_dict
from typed_configs import PLAIN, made, nodes

from hydra_callback_kit.configs.difference import difference
from hydra_callback_kit.configs.in_the_job import app_part


@given(PLAIN, st.booleans(), st.none() | st.booleans(), st.none() | st.integers() | st.text() | st.just("${x}"))
def test_it_is_what_hydra_makes(plain: Any, readonly: bool, struct: bool | None, value: Any) -> None:
    """Every key, value, type, flag and answer; and nothing is shared that can be changed."""
    config = made(plain, readonly, struct)
    with open_dict(config):
        config.hydra = {"job": {"num": 0}}
        config[1] = value
    by_hydra = OmegaConf.masked_copy(config, [key for key in config if key != "hydra"])
    OmegaConf.copy_cache(from_config=config, to_config=by_hydra)
    part = app_part(config)
    assert difference(part, by_hydra) is None
    assert not {id(each) for each in nodes(part)} & {id(each) for each in nodes(config)}
    assert all(each._get_parent() in nodes(part) for each in nodes(part)[1:])
