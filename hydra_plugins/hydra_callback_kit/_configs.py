"""The configs of the options that an app chooses, made once in a process.

Making them takes longer than all the rest that Hydra's plugin scan does for this package, so it is left until an app
chooses an option; the scan passes by files whose names start with `_`. Only a class that was chosen becomes a dataclass, and
as nobody makes objects of it, one without the methods for it, which would take ten times the time.
"""

import functools
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf

from hydra_callback_kit.configs.quick_copy import QuickConfig, made_quick
from hydra_plugins.hydra_callback_kit._nodes import OPTIONS


@functools.cache
def dataclass_of(option: str) -> type[Any]:
    """The config of an option, as the dataclass that OmegaConf takes."""
    return dataclass(init=False, repr=False, eq=False)(OPTIONS[option])


@functools.cache
def config_of(option: str) -> QuickConfig:
    """The config of an option: always the same object. Hydra makes several copies of it for each job."""
    return made_quick(OmegaConf.structured(dataclass_of(option)))


@functools.cache
def config_of_set(options: tuple[str, ...]) -> QuickConfig:
    """The configs of several options in one, which takes Hydra half the time of a defaults list of them; as above."""
    return made_quick(OmegaConf.create({option: config_of(option) for option in options}))
