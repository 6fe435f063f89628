"""Which jobs a sweep will have, where that is known as it starts: the basic sweeper runs the product of its overrides."""

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.given_overrides import task_overrides
from hydra_callback_kit.configs.hydra_internals import BasicSweeper
from hydra_callback_kit.configs.reading import reading
from hydra_callback_kit.configs.recorded_overrides import read_override
from hydra_callback_kit.configs.sweep_jobs import is_basic_sweeper
from hydra_callback_kit.journal.masking import quoted_marks, unquoted_marks


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep is going to run.

    Attributes:
        overrides: the overrides that the sweeper multiplies, `hydra.sweeper.params` first; globs are spelled out.
        count: how many jobs that makes.
    """

    overrides: Sequence[str]
    count: int


def planned_jobs(config: DictConfig) -> Plan | None:
    """Tells what a sweep is going to run.

    Args:
        config: the config of `on_multirun_start`.

    Returns:
        None if that cannot be known: another sweeper chooses as it goes, Hydra is about to refuse the overrides, or only a
        resolver of the app's can tell them.
    """
    sweeper = config.hydra.sweeper
    if not is_basic_sweeper(sweeper):
        return None
    hydra = GlobalHydra.instance().hydra
    parser = OverridesParser.create(config_loader=hydra.config_loader if hydra else None)
    state = random.getstate()
    try:
        with reading(config):
            params = [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()]
        parsed = parser.parse_overrides([*params, *task_overrides(config)])
        values = {override.get_key_element(): _values(override) for override in parsed}
    except (HydraException, OmegaConfBaseException):
        return None
    finally:
        random.setstate(state)  # Hydra shuffles a `shuffle(...)` each time it is looked at
    return Plan([_spelled_out(override) for override in parsed], math.prod(map(len, values.values())))


def jobs_of(overrides: Sequence[str]) -> list[tuple[str, ...]]:
    """Multiplies overrides as the basic sweeper does.

    Args:
        overrides: those of a `Plan`, as they were recorded: the value of a secret one is redacted.

    Returns:
        The overrides of each job, by number.

    Raises:
        HydraException: if Hydra cannot read one of them.
    """
    readable = [read_override(quoted_marks(override)) for override in overrides]
    (jobs,) = BasicSweeper.split_arguments(readable, None)
    return [tuple(unquoted_marks(override) for override in job) for job in jobs]


def missing_jobs(overrides: Sequence[str], started: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    """Tells the planned jobs that never started.

    Args:
        overrides: those of a `Plan`, as they were recorded.
        started: the overrides of each job that started, by its number; a job that was run again may have got others.

    Returns:
        The overrides of each missing job by its number.

    Raises:
        HydraException: if Hydra cannot read one of the overrides.
        ValueError: if the sweep was shuffled, and a job that started is none of the planned ones.
    """
    planned = jobs_of(overrides)
    numbers = [num for num in range(len(planned)) if num not in started]
    if not any("shuffle" in override for override in overrides):
        return {num: planned[num] for num in numbers}
    left = Counter(planned)
    left.subtract(started.values())
    if min(left.values(), default=0) < 0 or any(num >= len(planned) for num in started):
        raise ValueError("jobs were started that were not planned")
    in_order = []
    for job in planned:
        if left[job]:
            left[job] -= 1
            in_order.append(job)
    return dict(zip(numbers, in_order, strict=True))


def _values(override: Override) -> list[str]:
    if override.is_sweep_override() and not override.is_discrete_sweep():
        raise HydraException("the basic sweeper does not support intervals")
    return list(override.sweep_string_iterator()) if override.is_sweep_override() else [""]


def _spelled_out(override: Override) -> str:
    if override.value_type is ValueType.GLOB_CHOICE_SWEEP:
        return f"{override.get_key_element()}={','.join(override.sweep_string_iterator())}"
    return str(override.input_line)
