"""A profile of what one thread does: by pyinstrument, by Python's cProfile, or of its memory by memray."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

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
    """A profile of the calling thread.

    Attributes:
        cut_short_by: the name of the profiler that has taken its place, once it has ended; empty for one that is gone by
            then, None where it had its place to the end.
    """

    cut_short_by: str | None

    def start(self) -> None:
        """Begins it, in the thread that is profiled; raises what the profiler raises."""

    def stop(self) -> None:
        """Ends it, in the same thread; a profiler that has taken its place stays there."""

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
