"""What is asked of jobs is what Hydra composes for them, whichever way it is found out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from apps import VERSION_BASE
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.asked import AskedConfigs
from hydra_callback_kit.configs.flat_config import MAX_VALUE, flat_config
from hydra_callback_kit.configs.in_the_job import app_part
from hydra_callback_kit.configs.secret_keys import SecretKeys
from hydra_callback_kit.configs.sweep_jobs import config_loader
from hydra_callback_kit.journal.asked import with_differences

CONFIG = """
defaults:
  - db: mysql
  - _self_
x: 0
lr: 0.1
same: ${lr}
nested: {a: {b: 1}, items: [1, 2], none: null, empty: {}}
gap: ???
user: {password: none, name: me, tokens: {api_key: k}}
hydra: {sweep: {dir: sweeps}}
"""
OVERRIDES = [
    *("x=1", "x=null", "lr=0.2", "lr='a,b'", "nested.a.b=2", "nested.items=[3]", "nested.items.0=5", "nested.items.1=6"),
    *("+nested.a.d=4", "+nested.empty.c=1", "+nested.empty.d=2", "nested.a=null", "nested={a: {b: 7}}", "++nested.a.b=8"),
    *("++x=7", "+new.key={p: [1]}", "~x", "~nested.a", "gap=3", "nope=1", "x.y=1", "same=0.5", "same=${x}", "x=${lr}"),
    *("db=pg", "db=mysql", "+db@second=pg", "~db", "db.host=here", "db={host: there}", "hydra.job.name=other"),
    *("user.password=geheim", "user.tokens={api_key: other}", "nested.none={a: b}", "x=.nan", "x='???'"),
]


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DictConfig]:
    """The config of a sweep whose app is initialised."""
    directory: Path = tmp_path_factory.mktemp("conf")
    (directory / "db").mkdir()
    (directory / "config.yaml").write_text(CONFIG, "utf-8")
    (directory / "db" / "mysql.yaml").write_text("host: localhost\nport: 3306\n", "utf-8")
    (directory / "db" / "pg.yaml").write_text("host: ???\n", "utf-8")
    with initialize_config_dir(str(directory), **VERSION_BASE):
        yield compose("config", return_hydra_config=True)


@pytest.fixture(scope="module")
def configs(master: DictConfig) -> AskedConfigs:
    """All examples share what was found out once, as the jobs of a sweep do."""
    return AskedConfigs(master)


def flat(config: DictConfig) -> dict[str, object]:
    """A config, flat."""
    return flat_config(config, SecretKeys(), str)


def outcome(action) -> object:
    """What it returns, or that it fails."""
    try:
        return action()
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        return type(error)


@settings(
    max_examples=min(settings.default.max_examples // 5, 1_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(overrides=st.lists(st.sampled_from(OVERRIDES), max_size=4))
def test_what_is_asked_is_what_hydra_composes(master, configs, overrides: list[str]) -> None:
    """Base and differences are the config that the launcher would compose; or both fail."""

    def ours() -> dict[str, object]:
        asked = configs.asked(overrides)
        return with_differences(configs.bases[asked.base], asked.differs)

    assert outcome(ours) == outcome(lambda: flat(config_loader().load_sweep_config(master, list(overrides))))


def test_what_was_saved_is_what_was_composed(master, tmp_path: Path) -> None:
    """A job's `.hydra/config.yaml` says the same as what was composed for it."""
    overrides = ["x=1e-5", "nested.items=['1', 1, 1.0, true]", "lr='007'"]
    config = app_part(config_loader().load_sweep_config(master, overrides))
    OmegaConf.save(config, tmp_path / "config.yaml")
    assert flat(OmegaConf.load(tmp_path / "config.yaml")) == flat(config)


def test_secrets_and_large_values_are_not_kept() -> None:
    """What lies below a secret key is left out, and of a long text only what tells it from others is kept."""
    long = "x" * (MAX_VALUE + 1)
    config = OmegaConf.create(
        {
            "password": "p",
            "user": {"tokens": {"api_key": "k"}, "secrets": {"a": 1}},
            "list": [{"token": "t", "b": 2}],
            "t": long,
        }
    )
    text = str(flat(config))
    assert flat(config)["list"] == [{"mapping": {"b": 2}}]
    assert flat(config).keys() == {"list", "t"}
    assert long not in text
    assert flat(config)["t"] != flat(OmegaConf.create({"t": f"{long}y"}))["t"]


names = st.one_of(st.text("ab.\\", min_size=1, max_size=3), st.integers(0, 2), st.booleans())
values = st.recursive(
    st.one_of(st.integers(0, 1), st.floats(0, 1), st.booleans(), st.none(), st.text("ab", max_size=1)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(names, inner, max_size=2)),
    max_leaves=5,
)


@given(a=st.dictionaries(names, values, max_size=3), b=st.dictionaries(names, values, max_size=3))
def test_two_configs_are_told_apart(a, b) -> None:
    """Only equal configs are flat the same, to the types of their values and keys."""
    one, other = OmegaConf.create(a), OmegaConf.create(b)
    assert (repr(flat(one)) == repr(flat(other))) == (repr(dict(one)) == repr(dict(other)))
