"""What travels to a worker process and claims a device there as it is unpickled, before anything of the app's is imported.

A pickle is read from front to back: the claim stands before the callbacks and before the task function. Launchers differ in
which of the two comes first, so that both bring it. In the process that has started the sweep nothing is claimed, whoever
copies or unpickles there.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_callback_kit.devices.claim import claim
from hydra_callback_kit.devices.wanted import DeviceError, Wanted
from hydra_callback_kit.journal.process import this_process_token

_NOTHING: Final = Wanted(None, "", None, 1)


class _Claim:
    """Becomes, where it is unpickled, whether that is in another process; there a device is claimed."""

    def __init__(self, wanted: Wanted, home: str) -> None:
        self._arguments = tuple(wanted), home

    def __reduce__(self) -> tuple[Callable[..., bool], tuple[Any, ...]]:
        return _claim_elsewhere, self._arguments


def _claim_elsewhere(wanted: tuple[Any, ...], home: str) -> bool:
    if this_process_token() == home:
        return False
    with contextlib.suppress(DeviceError):  # the job's start hook meets it, too, and can say so: here the pool would break
        claim(Wanted(*wanted))
    return True


@dataclass
class ClaimsFirst(HydraContext):
    """What Hydra hands to the jobs of a sweep, with the claim before it. In a worker it is Hydra's own again.

    Attributes:
        wanted: what each worker is to get.
        home: a word for the process that has started the sweep.
    """

    wanted: Wanted = _NOTHING
    home: str = ""

    def __copy__(self) -> "ClaimsFirst":
        """Another one, in which something may be replaced."""
        return dataclasses.replace(self)

    def __reduce__(self) -> tuple[Callable[..., HydraContext], tuple[Any, ...]]:
        """The claim, then the rest."""
        fields = {name: value for name, value in vars(self).items() if name not in ("wanted", "home")}
        return _context, (_Claim(self.wanted, self.home), fields, tuple(self.wanted))


def claims_first(context: HydraContext, wanted: Wanted) -> HydraContext:
    """What the launcher is set up with.

    Args:
        context: what it would be else.
        wanted: what each worker is to get.
    """
    return ClaimsFirst(**vars(context), wanted=wanted, home=this_process_token())


def _context(elsewhere: bool, fields: dict[str, Any], wanted: tuple[Any, ...]) -> HydraContext:
    context = HydraContext(**fields)
    return context if elsewhere else claims_first(context, Wanted(*wanted))


class TaskAfterClaim:
    """The task function of a sweep, with the claim before it. In a worker it is the app's own again.

    Args:
        task_function: the app's.
        wanted: what each worker is to get.
    """

    def __init__(self, task_function: TaskFunction, wanted: Wanted) -> None:
        functools.update_wrapper(self, task_function)
        self._task = task_function
        self._wanted = wanted
        self._home = this_process_token()

    def __call__(self, config: DictConfig) -> Any:
        """Where a launcher runs jobs in the sweep's own process."""
        return self._task(config)

    def __copy__(self) -> "TaskAfterClaim":
        """Another one."""
        return TaskAfterClaim(self._task, self._wanted)

    def __reduce__(self) -> tuple[Callable[..., TaskFunction], tuple[Any, ...]]:
        """The claim, then the rest."""
        return _task, (_Claim(self._wanted, self._home), self._task, tuple(self._wanted))


def _task(elsewhere: bool, task_function: TaskFunction, wanted: tuple[Any, ...]) -> TaskFunction:
    return task_function if elsewhere else TaskAfterClaim(task_function, Wanted(*wanted))
