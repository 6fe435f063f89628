"""A profile of what one thread does: by pyinstrument, by Python's cProfile, or of its memory by memray."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from hydra_callback_kit.measure.memory_profile import MemoryProfile
from hydra_callback_kit.measure.sampled_profile import SampledProfile
from hydra_callback_kit.measure.traced_profile import TracedProfile

PROFILERS: Final[dict[str, Callable[[Path, str], "Profile"]]] = {
    "pyinstrument": SampledProfile,
    "cprofile": TracedProfile,
    "memray": MemoryProfile,
}
"""By their names."""


class Profile(Protocol):
    """A profile of the calling thread."""

    def start(self) -> None:
        """Begins it, in the thread that is profiled; raises what the profiler raises."""

    def stop(self) -> None:
        """Ends it, in the same thread."""

    def write(self) -> tuple[list[Path], str | None, float]:
        """Writes its files.

        Returns:
            The files; the function that took most without what it called, by its name, file and line (None if nothing was
            seen); and what share of it all that is, between 0 and 1.
        """


def profile_of(profiler: str, stem: Path, title: str) -> Profile:
    """Makes a profile, which does not run yet.

    Args:
        profiler: one of `PROFILERS`.
        stem: where its files go: the path without a suffix.
        title: what is profiled.
    """
    return PROFILERS[profiler](stem, title)


def other_profiler() -> str:
    """What else profiles or traces the calling thread: a debugger, coverage, `python -m cProfile`; empty if nothing does."""
    hook = sys.getprofile() or sys.gettrace()
    if hook is not None:
        return _name(hook)
    monitoring: Any = getattr(sys, "monitoring", None)  # from Python 3.12 on
    tools = map(monitoring.get_tool, range(6)) if monitoring else ()
    return next((str(tool) for tool in tools if tool is not None), "")


def _name(hook: Any) -> str:
    kind = hook if hasattr(hook, "__qualname__") else type(hook)
    return f"{getattr(kind, '__module__', None) or type(hook).__module__}.{kind.__qualname__}"
