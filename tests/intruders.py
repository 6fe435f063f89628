"""What may lie in the place of a file of ours: everything that a directory can hold."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final


def _file(place: Path) -> None:
    place.write_text("mine", "utf-8")


def _empty_file(place: Path) -> None:
    place.write_text("", "utf-8")


def _link_to_a_file(place: Path) -> None:
    precious = place.parent / f"precious of {place.name}"
    precious.write_text("precious", "utf-8")
    place.symlink_to(precious)


def _link_to_a_directory(place: Path) -> None:
    (place.parent / f"directory of {place.name}").mkdir()
    place.symlink_to(place.parent / f"directory of {place.name}")


def _link_to_nowhere(place: Path) -> None:
    place.symlink_to("/nowhere/at/all")


def _directory(place: Path) -> None:
    place.mkdir()
    (place / "inside").write_text("mine", "utf-8")


INTRUDERS: Final[dict[str, Callable[[Path], Any]]] = {
    "a file": _file,
    "an empty file": _empty_file,
    "a link to a file": _link_to_a_file,
    "a link to a directory": _link_to_a_directory,
    "a link to nowhere": _link_to_nowhere,
    "a directory": _directory,
    "a pipe": os.mkfifo,
}
"""Puts something at a path where nothing lies."""


def looked_at(place: Path) -> tuple[int, object]:
    """What lies at a path: its kind and its content, or where it leads."""
    kind = stat.S_IFMT(place.lstat().st_mode)
    if stat.S_ISLNK(kind):
        beyond = place.read_text("utf-8") if place.is_file() else None
        return kind, (os.readlink(place), beyond)  # noqa: PTH115  as written
    if stat.S_ISDIR(kind):
        return kind, sorted((file.name, file.read_text("utf-8")) for file in place.iterdir())
    return kind, place.read_bytes() if stat.S_ISREG(kind) else None
