"""What this package needs of Hydra that Hydra does not call public, imported here alone: any release may move it."""

from hydra._internal import config_loader_impl
from hydra._internal.config_repository import CachingConfigRepository
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.defaults_list import Overrides
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser

__all__ = ["BasicSweeper", "CachingConfigRepository", "Hydra", "Overrides", "config_loader_impl", "get_args_parser"]
