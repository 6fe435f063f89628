"""Globs in a directory, matched part by part while one goes down into it."""

import fnmatch
from collections.abc import Sequence
from typing import Any, TypeAlias

from omegaconf import OmegaConf

from hydra_callback_kit.hooks.parameters import ParameterError, no_numbers

Place: TypeAlias = frozenset[tuple[int, int]]
"""How far each glob has matched: its number, and of how many of its parts."""


class Globs:
    """Some globs: `*`, `?` and `[...]` match within a name, and `**` any number of directories, also none.

    Args:
        patterns: the globs, relative, with `/` between their parts.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._parts = [tuple(part for part in pattern.split("/") if part != ".") for pattern in patterns]
        self.start = self._with_nothing_for_stars((number, 0) for number in range(len(self._parts)))
        """The place of the directory itself."""

    def below(self, place: Place, name: str) -> Place:
        """The place of what has a name in a directory.

        Args:
            place: the directory's.
            name: the name.
        """
        further = set()
        for number, at in place:
            part = self._parts[number][at] if at < len(self._parts[number]) else None
            if part == "**":
                further.add((number, at))
            elif part is not None and fnmatch.fnmatchcase(name, part):
                further.add((number, at + 1))
        return self._with_nothing_for_stars(further)

    def match(self, place: Place) -> bool:
        """Whether a glob matches what is at a place."""
        return any(at == len(self._parts[number]) for number, at in place)

    def _with_nothing_for_stars(self, places: Any) -> Place:
        found = set()
        for number, at in places:
            found.add((number, at))
            while at < len(self._parts[number]) and self._parts[number][at] == "**":
                at += 1  # noqa: PLW2901  `**` matches no directory at all, too
                found.add((number, at))
        return frozenset(found)


def globs_below(parameter: str, given: Any, example: str) -> list[str]:
    """Returns globs for what lies in a directory, and nothing else.

    Args:
        parameter: the parameter's name.
        given: a list of globs.
        example: what is advised.

    Raises:
        ParameterError: if it is no list of globs, it is empty, or one leads out of the directory.
    """
    plain = OmegaConf.to_container(given) if OmegaConf.is_config(given) else given
    allowed = "a list of globs in the job's directory, relative and without '..'"
    no_numbers(parameter, plain, allowed)
    if not isinstance(plain, list | tuple) or not plain or not all(map(_stays_inside, plain)):
        raise ParameterError(parameter, plain, allowed, f"Write for example {parameter}={example}.")
    return list(plain)


def _stays_inside(glob: Any) -> bool:
    if not isinstance(glob, str) or "\0" in glob or "\\" in glob or glob.startswith(("/", "~")) or ":" in glob[:2]:
        return False
    parts = glob.split("/")
    return ".." not in parts and "" not in parts and set(parts) != {"."}
