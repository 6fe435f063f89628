"""The configs that a sweep's jobs will have, composed before any job starts, and equal to what Hydra composes.

Hydra takes tens of milliseconds to compose a config. Jobs that differ only in values share what Hydra composes from their
choices of config groups; their values are then set in a copy, by the function with which Hydra sets them. Where that might
come to something else, Hydra composes the job's whole config.
"""

import functools
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, flag_override
from omegaconf._utils import split_key

from hydra_callback_kit.configs.composed_job import Base, ComposedJob, made, parsed, set_values
from hydra_callback_kit.configs.difference import difference
from hydra_callback_kit.configs.given_overrides import hydra_overrides
from hydra_callback_kit.configs.hydra_internals import CachingConfigRepository, Overrides
from hydra_callback_kit.configs.order_matters import interpolated_for_hydra, is_of_one_value, is_there, why_order_matters
from hydra_callback_kit.configs.quick_copy import quick_copy
from hydra_callback_kit.configs.sweep_jobs import config_loader


class LeftToHydra(Exception):  # noqa: N818  it is no error
    """A job's config that Hydra itself has to compose, with the reason."""


class JobConfigs:
    """Composes the configs of a sweep's jobs.

    Args:
        config: the config of `on_multirun_start`; it is not changed.
        check: whether Hydra composes each config as well, and the two are compared.

    Attributes:
        reasons: why Hydra itself had to compose jobs' configs, and how many of them.
        differences: of the jobs that were compared, those that differ: their overrides, and what differs.
    """

    def __init__(self, config: DictConfig, check: bool = False) -> None:
        self.reasons: Counter[str] = Counter()
        self.differences: dict[tuple[str, ...], str] = {}
        self._config = config
        self._check = check
        self._loader = config_loader()
        self._jobs: dict[tuple[str, ...], ComposedJob | None] = {}
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._value_or_not: dict[tuple[Any, ...], bool] = {}

    @property
    def combinations(self) -> int:
        """Of how many combinations of config groups jobs were composed so far."""
        return len(self._groups)

    def compose(self, job_num: int, overrides: Sequence[str]) -> DictConfig:
        """Composes one job's config, `hydra` node included, as the launchers will.

        Args:
            job_num: the job's index in the sweep.
            overrides: the job's overrides.

        Returns:
            A config of its own. The job's id, which its launcher has still to give, is `job_id_for_<num>`, as launchers
            themselves say until they know.

        Raises:
            HydraException: if Hydra cannot compose it.
            OmegaConfBaseException: the same.
            ValueError: the same.
        """
        job = self.job(overrides)
        config = self._by_hydra(overrides) if job is None else made(job, self._config)
        with flag_override(config, ["struct", "readonly"], [False, False]):
            config.hydra.job.num = job_num
            config.hydra.job.id = f"job_id_for_{job_num}"
        return config

    def job(self, overrides: Sequence[str]) -> ComposedJob | None:
        """Composes what a job's config is made of, once; from then on no change of a file reaches it.

        Args:
            overrides: the job's overrides.

        Returns:
            None if Hydra has to compose the config each time, because what it composes is not the same once it is copied.

        Raises:
            HydraException: if Hydra cannot compose it.
            OmegaConfBaseException: the same.
            ValueError: the same.
        """
        key = tuple(overrides)
        if key not in self._jobs:
            self._jobs[key] = self._composed(key)
        return self._jobs[key]

    def are_shared(self, choices: tuple[str, ...]) -> bool:
        """Whether jobs that were composed so far have a base that is composed of these overrides alone."""
        return choices in self._groups

    def choices(self, overrides: Sequence[str]) -> tuple[str, ...]:
        """Those of a job's overrides that decide which files it is composed of: jobs with the same have the same keys."""
        return tuple(override for override in overrides if not self._sets_a_value(parsed(override)))

    def _composed(self, overrides: tuple[str, ...]) -> ComposedJob | None:
        try:
            job = self._of_its_group(overrides)
        except Exception as error:  # noqa: BLE001  Hydra says what is wrong, or composes it
            known = isinstance(error, (LeftToHydra, LookupError))
            why = str(error) if known else f"they cannot be composed in two steps ({type(error).__name__})"
            whole = self._whole(overrides)
            self.reasons[why] += 1
            return whole
        if self._check:
            found = difference(made(job, self._config), self._by_hydra(overrides))
            if found is not None:
                self.differences[overrides] = found
                return self._whole(overrides)
        return job

    def _of_its_group(self, overrides: tuple[str, ...]) -> ComposedJob:
        each = [parsed(override) for override in overrides]
        for override in each:
            if override.is_sweep_override() or override.key_or_group.startswith("hydra.searchpath"):
                raise LeftToHydra(f"`{override.key_or_group}` is no value of a single job")
            if not override.is_hydra_override() and _is_below_hydra(override):
                raise LeftToHydra(f"`{override.key_or_group}` is set as if it were the app's")
        values = tuple(place for place, override in enumerate(each) if self._sets_a_value(override))
        choices = tuple(override for place, override in enumerate(overrides) if place not in values)
        group = self._groups.get(choices)
        if group is None:
            shared = self._whole(choices)
            group = self._groups[choices] = _Group(shared and shared.base)
        return ComposedJob(group.base_of([each[place] for place in values]), overrides, values)

    def _whole(self, overrides: tuple[str, ...]) -> ComposedJob | None:
        """Hydra composes it all, and it is made sure that what is made of it is that."""
        config = self._by_hydra(overrides)
        kept = quick_copy(config)
        task = kept.hydra.overrides.task
        while len(task):
            del task[len(task) - 1]  # each job has its own
        job = ComposedJob(Base(kept), overrides, ())
        return job if difference(made(job, self._config), config) is None else None

    def _by_hydra(self, overrides: Sequence[str]) -> DictConfig:
        return self._loader.load_sweep_config(self._config, list(overrides))

    def _sets_a_value(self, override: Override) -> bool:
        """What decides which files are composed, and what is set in the `hydra` node, is left to Hydra."""
        if override.package is not None or override.is_hydra_override() or _is_below_hydra(override):
            return False
        kind = override.type, override.key_or_group, type(override.value()), getattr(override, "is_value_path", None)
        found = self._value_or_not.get(kind)
        if found is None:
            asked = Overrides(self._repository, [override]).config_overrides
            found = self._value_or_not[kind] = bool(asked)
        return found

    @functools.cached_property
    def _repository(self) -> Any:
        """Where the app's groups are, also those on a search path of its own."""
        if not OmegaConf.is_interpolation(self._config.hydra, "searchpath") and not self._config.hydra.searchpath:
            # to look for a search path, Hydra reads the whole primary config, which takes longer than a job of a sweep
            return CachingConfigRepository(self._loader.repository)  # type: ignore[attr-defined]  # of the one that Hydra makes
        name, overrides = self._config.hydra.job.config_name, hydra_overrides(self._config)
        return self._loader._parse_overrides_and_create_caching_repo(name, overrides)[1]  # type: ignore[attr-defined]  # noqa: SLF001


class _Group:
    """The jobs that choose the same of the app's groups.

    Args:
        base: what Hydra composes of these choices.
    """

    def __init__(self, base: Base | None) -> None:
        self._base = base
        self._reason = base and interpolated_for_hydra(base.shared())
        self._alone: set[str | None] = set()
        self._tried: DictConfig | None = None

    def base_of(self, overrides: Sequence[Override]) -> Base:
        """The base, once it is sure that values can be set in a copy of it, and come to what Hydra makes of them.

        Args:
            overrides: the values of one job.

        Raises:
            LeftToHydra: if they may come to something else.
            Exception: whatever keeps them from being set.
        """
        base = self._base
        if base is None:
            raise LeftToHydra("what Hydra composes is not the same once it is copied")
        if self._reason is not None:
            raise LeftToHydra(f"`{self._reason}` is an interpolation")
        config = base.shared()
        if len(overrides) > 1 and not _are_apart(overrides, config):
            _set_one_by_one(overrides, base.copy())
            return base
        for override in overrides:
            if override.input_line not in self._alone:
                self._try(override, config, base)
                self._alone.add(override.input_line)
        return base

    def _try(self, override: Override, config: DictConfig, base: Base) -> None:
        if not is_of_one_value(override, config):
            _set_one_by_one([override], base.copy())
            return
        if self._tried is None:  # one value after another is set in it
            self._tried = base.copy()
        _set_one_by_one([override], self._tried)


def _is_below_hydra(override: Override) -> bool:
    return bool(split_key(override.key_or_group)[0] == "hydra")


def _set_one_by_one(overrides: Sequence[Override], config: DictConfig) -> None:
    for override in overrides:
        reason = why_order_matters(override, config)
        if reason is not None:
            raise LeftToHydra(reason)
        set_values([override], config)


def _are_apart(overrides: Sequence[Override], config: DictConfig) -> bool:
    """Whether no override makes a difference to another: each has a key of its own, in a mapping that is there."""
    if not all(is_there(override.key_or_group, config) for override in overrides):
        return False
    keys = sorted(split_key(override.key_or_group) for override in overrides)
    return all(after[: len(before)] != before for before, after in itertools.pairwise(keys))
