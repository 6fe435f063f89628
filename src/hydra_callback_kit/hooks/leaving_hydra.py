"""When control leaves Hydra, in a process that may go on: a caught failure, a test session, a notebook.

On Hydra 1.3 no hook tells the end of a sweep in which a job failed. But when an app's `main` returns or raises, Hydra lets
go of what it is running, in its one `GlobalHydra`. While a run is open that object tells us of it. (To wait until Python
lets go of the run's objects would not do: a failed job's traceback holds them, and nothing much may be done at such a
moment.)
"""

import sys
from collections.abc import Callable, Container
from types import CodeType
from typing import Any, Final

from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import run_job

from hydra_callback_kit.configs.hydra_internals import Hydra

_RUNS: Final = frozenset((Hydra.run.__code__, Hydra.multirun.__code__))
_JOBS: Final = frozenset((run_job.__code__,))


def runs_on_the_stack() -> int:
    """How many runs and sweeps of Hydra the calling thread is in: 2 where a task function starts another app."""
    return _on_the_stack(_RUNS)


def jobs_on_the_stack() -> int:
    """How many jobs the calling thread is in; hooks of a job are called inside of it."""
    return _on_the_stack(_JOBS)


def _on_the_stack(codes: Container[CodeType]) -> int:
    count, frame = 0, sys._getframe(1)  # noqa: SLF001  it is documented
    at: Any = frame
    while at is not None:
        count += at.f_code in codes
        at = at.f_back
    return count


def watch(left: Callable[[], None]) -> None:
    """Has a function called when control leaves Hydra; it is told again and again until `watch_no_more`.

    Args:
        left: called in the thread that leaves.
    """
    instance = GlobalHydra.instance()
    if type(instance) is GlobalHydra:
        instance.__class__ = _Watched
    _left[:] = [left]


def watch_no_more() -> None:
    """Leaves Hydra's object as it was."""
    _left.clear()
    instance = GlobalHydra.instance()
    if type(instance) is _Watched:
        object.__setattr__(instance, "__class__", GlobalHydra)


class _Watched(GlobalHydra):
    """Hydra's object while a run is open. Copies of it that reach workers have nothing to tell."""

    @property
    def hydra(self) -> Any:
        """What is running."""
        return self.__dict__["hydra"]

    @hydra.setter
    def hydra(self, running: Any) -> None:
        self.__dict__["hydra"] = running
        _tell()


def _tell() -> None:
    """Inside of a run Hydra's object changes as well: a task function composes a config, a launcher sets up its worker."""
    if _left and not runs_on_the_stack():
        _left[0]()


_left: list[Callable[[], None]] = []
