"""Jobs composed in advance are the jobs that Hydra will compose, whatever the overrides."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from apps import VERSION_BASE
from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.in_the_job import seen_by_the_job
from hydra_callback_kit.configs.job_configs import JobConfigs
from hydra_callback_kit.configs.sweep_jobs import config_loader, sample_job, sweep_jobs

CONFIG = """
defaults:
  - db: mysql
  - _self_
x: 0
lr: 0.1
nested: {a: {b: 1}, items: [1, 2]}
gap: ???
subdir: ${hydra:job.override_dirname}
output: ${hydra:runtime.output_dir}
number: ${hydra:job.num}
user: ${oc.env:ONLY_IN_THE_JOB}
hydra:
  job: {env_set: {ONLY_IN_THE_JOB: "${x}"}}
  sweep: {dir: sweeps, subdir: "${hydra.job.num}_${lr}"}
"""

OVERRIDES = [
    *("x=1", "x=null", "lr=0.2", "lr='a,b'", "nested.a.b=2", "nested.items=[3]", "nested.a={c: 1}", "+nested.a.d=4"),
    *("++x=7", "+new.key={p: [1]}", "~x", "~nested.a", "~x=0", "gap=3", "nope=1", "nested.nope=1", "+x=3", "x.y=1"),
    *("db=pg", "db=mysql", "db=none", "+db@second=pg", "~db", "db={host: there}", "db.host=here", "db@nope=pg", "db=[pg]"),
    *("hydra.job.name=other", "hydra.sweep.subdir=elsewhere", "nested={a: ???}", "x=${lr}"),
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
def job_configs(master: DictConfig) -> JobConfigs:
    """All examples share what is composed once, as the jobs of a sweep do."""
    return JobConfigs(master)


def outcome(action) -> object:
    """What it returns, or how it fails."""
    try:
        return action()
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        return type(error), str(error)


def by_hydra(master: DictConfig, overrides: list[str]) -> DictConfig:
    """What a launcher does."""
    loader: ConfigLoader = config_loader()
    config = loader.load_sweep_config(master, list(overrides))
    with open_dict(config):
        config.hydra.job.id = "job_id_for_3"
        config.hydra.job.num = 3
    return config


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(overrides=st.lists(st.sampled_from(OVERRIDES), max_size=4))
def test_a_job_is_composed_as_hydra_composes_it(master, job_configs, overrides: list[str]) -> None:
    """The same config with the same `hydra` node, or the same failure."""
    ours, theirs = outcome(lambda: job_configs.compose(3, overrides)), outcome(lambda: by_hydra(master, overrides))
    assert ours == theirs
    if isinstance(ours, DictConfig):
        assert OmegaConf.to_yaml(ours) == OmegaConf.to_yaml(theirs)


def test_the_job_sees_its_own_surroundings(master, job_configs, monkeypatch) -> None:
    """Output directory, number, override_dirname and environment are the job's, and afterwards as before."""
    monkeypatch.delenv("ONLY_IN_THE_JOB", raising=False)
    before = HydraConfig.instance().cfg
    config = job_configs.compose(3, ["x=5", "db=pg"])
    text, cache = OmegaConf.to_yaml(config), OmegaConf.get_cache(config).copy()
    with seen_by_the_job(config) as seen:
        assert seen.subdir == "db=pg,x=5"
        assert seen.output == str(Path("sweeps/3_0.1").absolute())
        assert seen.number == 3
        assert seen.user == "5"
        assert "hydra" not in seen
    assert HydraConfig.instance().cfg is before
    assert (OmegaConf.to_yaml(config), OmegaConf.get_cache(config)) == (text, cache)
    with pytest.raises(OmegaConfBaseException):
        _ = seen.user


def test_a_job_does_not_see_another_jobs_values(job_configs) -> None:
    """What is shared is copied before it is changed."""
    assert job_configs.compose(0, ["nested.items=[9]", "+nested.new=1"]).nested.new == 1
    assert job_configs.compose(1, ["x=1"]).nested == {"a": {"b": 1}, "items": [1, 2]}


def sweep_of(master: DictConfig, task: list[str], **sweeper: object) -> DictConfig:
    """The config that `on_multirun_start` gets."""
    config = master.copy()
    with open_dict(config):
        config.hydra.overrides.task = task
        config.hydra.sweeper = {**config.hydra.sweeper, **sweeper}
    return config


def test_the_basic_sweepers_jobs_are_known(master) -> None:
    """Every sweep syntax, `hydra.sweeper.params`, and an override on the command line that replaces one of those."""
    config = sweep_of(master, ["x=range(0,4,2)", "db=glob(*)", "lr=1e-3"], params={"gap": "choice(a,b)", "x": "7,8,9"})
    jobs = sweep_jobs(config)
    assert jobs is not None
    assert len(jobs) == 2 * 2 * 2
    assert jobs[0] == ["gap=a", "x=0", "db=mysql", "lr=0.001"]


def test_a_shuffled_sweep_is_shuffled_the_same_way_again(master) -> None:
    """Looking at the jobs in advance draws nothing from the app's random numbers."""
    config = sweep_of(master, ["x=shuffle(range(0,50))"])
    assert sweep_jobs(config) == sweep_jobs(config)
    state = random.getstate()
    sweep_jobs(config)
    assert random.getstate() == state


def test_a_sweeper_that_chooses_as_it_goes_has_a_sample(master) -> None:
    """The first of each space, and the keys it chooses, whichever way the sweeper spells its search space."""
    sweeper = {
        "_target_": "x.OptunaSweeper",
        "params": {"lr": "interval(0.5,1)"},
        "parametrization": {"nested.a": {"init": 1}},
    }
    config = sweep_of(master, ["db=choice(pg,mysql)", "gap=1"], **sweeper)
    assert sweep_jobs(config) is None
    overrides, chosen = sample_job(config)
    assert sorted(overrides) == ["db=pg", "gap=1", "lr=0.5"]
    assert chosen == {"lr", "db", "nested.a"}
