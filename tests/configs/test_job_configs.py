"""Jobs composed in advance are the jobs that Hydra will compose, whatever the overrides."""

import copy
import itertools
import pickle
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from apps import VERSION_BASE
from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from typed_configs import Inner

from hydra_callback_kit.configs import composed_job as composed_job_module
from hydra_callback_kit.configs import job_configs as job_configs_module
from hydra_callback_kit.configs import shared_job_configs
from hydra_callback_kit.configs.composed_job import ComposedJob, made
from hydra_callback_kit.configs.difference import difference
from hydra_callback_kit.configs.in_the_job import seen_by_the_job
from hydra_callback_kit.configs.job_configs import JobConfigs
from hydra_callback_kit.configs.sweep_jobs import config_loader, sample_job, sweep_jobs

EXAMPLES = min(settings.default.max_examples // 5, 1_000)
"""To compose a config and compare it takes a quarter of a second."""

CONFIG = """
defaults:
  - db: mysql
  - optional model: small
  - schema: typed
  - db@nested.inner: pg
  - size_${model}
  - optional missing: none
  - optional experiment: null
  - _self_
x: 0
lr: 0.1
nested: {a: {b: 1}, items: [1, 2], via: "${nested.a}", deep: [{c: "${x}"}, {c: 2}]}
linked: ${nested.a}
gap: ???
none: null
subdir: ${hydra:job.override_dirname}
output: ${hydra:runtime.output_dir}
number: ${hydra:job.num}
user: ${oc.env:ONLY_IN_THE_JOB}
at: ${now:%f}
names: [IN_THE_PROCESS]
hydra:
  job: {env_set: {ONLY_IN_THE_JOB: "${x}"}, env_copy: [IN_THE_PROCESS]}
  sweep: {dir: sweeps, subdir: "${hydra.job.num}_${lr}"}
"""
FILES = {
    "db/mysql": "host: localhost\nport: 3306\n",
    "db/pg": "host: ???\n",
    "model/small": "depth: 1\n",
    "model/large": "# @package _global_\ndepth: ${x}\nmodel: {width: 3}\n",
    "size_small": "size: 1\n",
    "size_large": "size: {of: ${depth}}\n",
    "experiment/deep": "# @package _global_\ndefaults:\n  - override /db: pg\n  - override /model: large\n"
    "  - /db@other: mysql\nlr: 9\n",
    "experiment/wide": "# @package _global_\ndefaults:\n  - override /hydra/job_logging: none\n  - deep\nx: 5\n",
}

OVERRIDES = [
    *("x=1", "x=null", "lr=0.2", "lr='a,b'", "nested.a.b=2", "nested.items=[3]", "nested.a={c: 1}", "+nested.a.d=4"),
    *("++x=7", "+new.key={p: [1]}", "~x", "~nested.a", "~x=0", "gap=3", "nope=1", "nested.nope=1", "+x=3", "x.y=1"),
    *("db=pg", "db=mysql", "db=none", "+db@second=pg", "~db", "db={host: there}", "db.host=here", "db@nope=pg", "db=[pg]"),
    *("hydra.job.name=other", "hydra.sweep.subdir=elsewhere", "nested={a: ???}", "x=${lr}"),
    *("+experiment=deep", "experiment=wide", "+experiment=[deep,wide]", "model=large", "model=small", "~model", "model=[]"),
    *(
        "schema.colour=GREEN",
        "schema.colour=RED",
        "schema.number=1",
        "schema.number=text",
        "schema.table.a=2",
        "schema.number={a: 1}",
    ),
    *(
        "+schema.table.b=3",
        "schema.table={c: 4}",
        "schema.rows=[[5]]",
        "schema.maybe=null",
        "schema.text=x",
        "~schema.number",
    ),
    *("linked.b=3", "+linked.c=3", "~linked.b", "linked=1", "linked={b: 5}", "+linked=4", "nested.via.b=2", "nested={x: 1}"),
    *("nested.items.0=5", "nested.items.7=5", "~nested.items.0", "nested.deep.0.c=1", "nested.deep=[]", "+nested.deep=[1]"),
    *(
        "none=1",
        "none.a=1",
        "+none.a=1",
        "++none.a=1",
        "hydra={job: {name: y}}",
        "+hydra.job.env_set.A=1",
        "hydra.job.env_copy=[]",
    ),
    *(
        "hydra/job_logging=disabled",
        "x=1,2",
        "x=[",
        "'x'=1",
        "+a.b.c=1",
        "+a.b.d=2",
        "+a={b: {c: 0}}",
        "++a.b=null",
        "nested.a.b=${x}",
    ),
    *(
        "hydra.searchpath=[pkg://none]",
        "db@nested.inner=mysql",
        "nested.inner.port=1",
        "x=???",
        "x=${oc.env:HOME}",
        "size=2",
    ),
]


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DictConfig]:
    """The config of a sweep whose app is initialised."""
    directory: Path = tmp_path_factory.mktemp("conf")
    for name, text in {"config": CONFIG, **FILES}.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / f"{name}.yaml").write_text(text, "utf-8")
    stored = ConfigStore.instance().repo
    ConfigStore.instance().store(group="schema", name="typed", node=Inner)
    with initialize_config_dir(str(directory), **VERSION_BASE), pytest.MonkeyPatch.context() as patch:
        patch.setenv("IN_THE_PROCESS", "here")
        config = compose("config", return_hydra_config=True)
        _ = config.at  # the jobs get the same answer
        yield config
    del stored["schema"]


@pytest.fixture(scope="module")
def job_configs(master: DictConfig) -> JobConfigs:
    """All examples share what is composed once, as the jobs of a sweep do."""
    return JobConfigs(master)


def outcome(action) -> object:
    """What it returns, or how it fails."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001  Hydra lets others pass, too
        return type(error), str(error)


def by_hydra(master: DictConfig, overrides: list[str]) -> DictConfig:
    """What a launcher does."""
    loader: ConfigLoader = config_loader()
    config = loader.load_sweep_config(master, list(overrides))
    with open_dict(config):
        config.hydra.job.id = "job_id_for_3"
        config.hydra.job.num = 3
    return config


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(overrides=st.lists(st.sampled_from(OVERRIDES), max_size=4))
def test_a_job_is_composed_as_hydra_composes_it(master, job_configs, overrides: list[str]) -> None:
    """The same config with the same `hydra` node, types, flags and cache, or the same failure."""
    ours, theirs = outcome(lambda: job_configs.compose(3, overrides)), outcome(lambda: by_hydra(master, overrides))
    assert_same(ours, theirs)
    if isinstance(ours, DictConfig):
        assert OmegaConf.to_yaml(ours) == OmegaConf.to_yaml(theirs)
        assert_same(copy.deepcopy(ours), copy.deepcopy(theirs))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(overrides=st.lists(st.sampled_from(OVERRIDES), max_size=4))
def test_another_process_makes_the_same_of_what_travels(master, job_configs, overrides: list[str]) -> None:
    """With the variables and the directory that it has itself."""
    job = outcome(lambda: job_configs.job(overrides))
    if not isinstance(job, ComposedJob):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IN_THE_PROCESS", "elsewhere")
        patch.chdir("/")
        ours = made(pickle.loads(pickle.dumps(job)), master)
        assert_same(ours, config_loader().load_sweep_config(master, list(overrides)))


def assert_same(ours: object, theirs: object) -> None:
    """Two configs, or two failures."""
    if isinstance(ours, DictConfig) and isinstance(theirs, DictConfig):
        assert difference(ours, theirs) is None
    else:
        assert ours == theirs


LEFT_TO_HYDRA = {
    "linked.b=3": "`linked.b` is set through an interpolation",
    "nested={a: {b: 5}}": "`nested` holds an interpolation",
    "+linked=4": None,  # which Hydra refuses
    "x={a: ${lr}}": "the value of `x` holds an interpolation",
    "hydra={job: {name: y}}": "`hydra` is set as if it were the app's",
    "hydra.job.env_copy=${later}": None,
    "hydra.job.env_copy=${names}": "`hydra.job.env_copy` is an interpolation",
}


@pytest.mark.parametrize(("override", "reason"), LEFT_TO_HYDRA.items())
def test_what_may_come_to_something_else_is_left_to_hydra(master, override: str, reason: str | None) -> None:
    """And counted, with the reason."""
    job_configs, overrides = JobConfigs(master), ["lr=1", override]
    ours, theirs = outcome(lambda: job_configs.compose(3, overrides)), outcome(lambda: by_hydra(master, overrides))
    assert_same(ours, theirs)
    if isinstance(theirs, DictConfig):
        assert job_configs.reasons == {reason: 1}


def test_jobs_that_differ_in_values_share_one_composition(master, job_configs, monkeypatch) -> None:
    """Hydra composes once for each combination of groups, and a config that was checked is not composed again."""
    loader, composed = config_loader(), []
    load = loader.load_sweep_config
    monkeypatch.setattr(
        loader, "load_sweep_config", lambda config, overrides: composed.append(overrides) or load(config, overrides)
    )
    jobs = JobConfigs(master)
    for x, db, lr in itertools.product(range(5), ("pg", "mysql"), ("0.1", "[1]", "{a: 1}")):
        for num in (1, 2):
            jobs.compose(num, [f"x={x}", f"db={db}", f"lr={lr}", "+new.key=1"])
    assert composed == [["db=pg"], ["db=mysql"]]
    assert jobs.combinations == 2
    assert not jobs.reasons


def test_who_looks_at_the_same_sweep_shares_what_is_composed(master) -> None:
    """Until another sweep is looked at, or a callback has changed what Hydra would compose."""
    shared = shared_job_configs.job_configs(master)
    assert shared_job_configs.job_configs(master) is shared
    with open_dict(master.hydra):
        master.hydra.overrides.hydra.append("hydra.job.chdir=true")
        try:
            changed = shared_job_configs.job_configs(master).compose(0, ["x=1"])
        finally:
            del master.hydra.overrides.hydra[-1]
    assert changed.hydra.job.chdir is True
    again = shared_job_configs.job_configs(master)
    assert again.compose(0, ["x=1"]).hydra.job.chdir is not True
    assert shared_job_configs.job_configs(copy.deepcopy(master)) is not again


def test_a_config_that_does_not_survive_being_copied_is_left_to_hydra(master, monkeypatch) -> None:
    """As if Hydra wrote something into it that is of this composition alone."""
    loader = config_loader()
    load, numbers = loader.load_sweep_config, itertools.count()

    def numbered(config: DictConfig, overrides: list[str]) -> DictConfig:
        made = load(config, overrides)
        made.hydra.runtime.cwd = f"/{next(numbers)}"
        return made

    monkeypatch.setattr(loader, "load_sweep_config", numbered)
    jobs = JobConfigs(master)
    assert jobs.job(["x=1"]) is None
    assert jobs.reasons == {"what Hydra composes is not the same once it is copied": 1}
    assert jobs.compose(4, ["x=1"]).hydra.runtime.cwd == "/2"


def test_each_is_compared_with_what_hydra_composes(master, monkeypatch) -> None:
    """Where they differ, the job gets Hydra's."""
    monkeypatch.setattr(job_configs_module, "why_order_matters", lambda *args: None)
    unchecked, checked = JobConfigs(master), JobConfigs(master, check=True)
    overrides = ["nested={a: {b: 5}}", "lr=3"]
    assert_same(checked.compose(3, overrides), by_hydra(master, overrides))
    assert checked.differences == {}
    monkeypatch.setattr(composed_job_module, "set_values", lambda *args: None)
    assert unchecked.compose(3, ["lr=3"]).lr == 0.1
    assert checked.compose(3, ["lr=3"]).lr == 3
    assert checked.differences == {("lr=3",): "lr: float instead of int"}


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
    assert job_configs.compose(1, ["x=1"]).nested["items"] == [1, 2]


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
