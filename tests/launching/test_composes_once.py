"""What of composed configs travels to the jobs, and who gets what."""

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path

import cloudpickle
import pytest
from apps import VERSION_BASE
from hydra import compose, initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext
from omegaconf import DictConfig, open_dict

from hydra_callback_kit.configs.difference import difference
from hydra_callback_kit.configs.sweep_jobs import config_loader
from hydra_callback_kit.launching.composes_once import ComposedConfigs, ComposesOnce, TakesAlong


class Sweeps(Sweeper):
    """Has Hydra's check."""

    def setup(self, **_: object) -> None:
        """Nothing is needed."""

    def sweep(self, arguments: list[str]) -> None:
        """Nothing is swept."""


@pytest.fixture
def master(tmp_path: Path) -> Iterator[DictConfig]:
    """The config of a sweep over values and groups."""
    (tmp_path / "config.yaml").write_text("x: 0\n" + "".join(f"key_{number}: {number}\n" for number in range(50)))
    (tmp_path / "db").mkdir()
    for name in ("pg", "mysql"):
        (tmp_path / "db" / f"{name}.yaml").write_text(f"host: {name}\n")
    with initialize_config_dir(str(tmp_path), **VERSION_BASE):
        config = compose("config", return_hydra_config=True)
        with open_dict(config):
            config.hydra.overrides.task = ["x=range(0,40)", "+db=pg,mysql"]
        yield config


@pytest.fixture
def policy(master: DictConfig) -> ComposesOnce:
    """All is composed."""
    made = ComposesOnce(master, check=False)
    made.context_of_sweeper(HydraContext(config_loader(), Callbacks()))
    return made


def elsewhere(loader: ConfigLoader) -> ConfigLoader:
    """The loader as another process has it; Hydra's part of it cannot be pickled where tests have scanned plugins twice."""
    return copy.copy(loader)


def test_a_job_takes_its_own_config_along_and_nothing_else(master: DictConfig, policy: ComposesOnce) -> None:
    """Some kilobytes, however many jobs there are; whoever reads its overrides sees the texts."""
    batch = {num: [f"x={num}", f"+db={('pg', 'mysql')[num % 2]}"] for num in range(40)}
    handed_over = policy.handed_over(batch)
    assert handed_over == batch
    assert [str(override) for override in handed_over[3]] == batch[3]
    assert type(str(handed_over[3][0])) is str
    context = policy.context_of_sweeper(HydraContext(config_loader(), Callbacks()))
    context.config_loader.load_sweep_config(master, batch[3])
    loader = elsewhere(context.config_loader)
    assert vars(loader) == {**vars(config_loader()), "_jobs": None, "without_overrides": None}
    for pickler in (pickle, cloudpickle):
        data = pickler.dumps(handed_over[3])
        assert len(data) < 10_000
        ours = loader.load_sweep_config(master, list(pickle.loads(data)))
        assert difference(ours, config_loader().load_sweep_config(master, batch[3])) is None
        assert {type(line) for line in ours.hydra.overrides.task} == {str}


@pytest.mark.parametrize("changed", [["x=4", "+db=pg"], ["x=3"], ["x=3", "+db=mysql", "x=5"], []])
def test_a_config_is_never_given_to_a_job_of_other_overrides(
    master: DictConfig, policy: ComposesOnce, changed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody changed them on the way: then Hydra composes what they say now."""
    (overrides,) = policy.handed_over({0: ["x=3", "+db=mysql"]}).values()
    assert isinstance(overrides[0], TakesAlong)
    mixed = [overrides[0] if override == "x=3" else override for override in changed]
    context = policy.context_of_sweeper(HydraContext(config_loader(), Callbacks()))
    caplog.clear()
    for loader in (context.config_loader, elsewhere(context.config_loader)):
        ours = loader.load_sweep_config(master, mixed)
        assert difference(ours, config_loader().load_sweep_config(master, changed)) is None
    assert caplog.text.count("did not reach this process") == 1


def test_all_else_is_hydras_own_loader(policy: ComposesOnce) -> None:
    """Whoever asks it for something else gets what Hydra says."""
    loader = policy.context_of_sweeper(HydraContext(config_loader(), Callbacks())).config_loader
    assert isinstance(loader, ComposedConfigs)
    assert isinstance(loader, type(config_loader()))
    assert loader.get_group_options("db") == ["mysql", "pg"]
    assert loader.get_search_path() is config_loader().get_search_path()
    (glob,) = OverridesParser.create(config_loader=loader).parse_overrides(["db=glob(m*)"])
    assert list(glob.sweep_string_iterator()) == ["mysql"]


def test_the_sweepers_check_composes_nothing_twice(policy: ComposesOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """And raises what Hydra raises."""
    sweeper = Sweeps()
    policy.sees_sweeper(sweeper)
    load, composed = config_loader().load_sweep_config, []
    monkeypatch.setattr(
        config_loader(), "load_sweep_config", lambda config, overrides: composed.append(overrides) or load(config, overrides)
    )
    sweeper.validate_batch_is_legal([[f"x={num}", "+db=pg"] for num in range(40)])
    assert composed == []
    with pytest.raises(HydraException, match="Could not override 'nope'"):
        sweeper.validate_batch_is_legal([["nope=1"]])


def test_a_sweeper_with_a_check_of_its_own_keeps_it(policy: ComposesOnce) -> None:
    """It may look at the configs."""

    class Looks(Sweeps):
        def validate_batch_is_legal(self, batch: object) -> None:
            raise NotImplementedError

    sweeper = Looks()
    policy.sees_sweeper(sweeper)
    with pytest.raises(NotImplementedError):
        sweeper.validate_batch_is_legal([])


def test_a_loader_that_is_not_hydras_own_stays_in_its_place(master: DictConfig, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody knows what it composes."""

    class Own(type(config_loader())):
        def __init__(self) -> None:
            """Nothing is loaded."""

    context, policy = HydraContext(Own(), Callbacks()), ComposesOnce(master, check=False)
    assert policy.context_of_sweeper(context) is context
    assert "Own loads it, and not Hydra" in caplog.text
    assert policy.handed_over({0: ["x=1"]}) == {0: ["x=1"]}
    assert type(policy.handed_over({0: ["x=1"]})[0][0]) is str
    assert issubclass(Own, ConfigLoader)
