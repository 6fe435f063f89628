"""Which files of a directory are meant: globs that hold at any depth, unless a slash in them says where."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def is_meant(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of several globs means a file.

    `*.ckpt` is a file of such a name in any directory, and `wandb` all that lies in one of that name. `plots/*.png` lies in
    the directory itself; `**` stands for any directories, or none.

    Args:
        name: the file, relative to the directory, with slashes.
        patterns: the globs.
    """
    parts = name.split("/")
    return any(_means(_parts_of(pattern), parts) for pattern in patterns)


def _parts_of(pattern: str) -> list[str]:
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    return parts if "/" in pattern.rstrip("/") else ["**", *parts]


def _means(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether a glob means the file, or a directory above it."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_means(pattern[1:], parts[start:]) for start in range(len(parts) + (len(pattern) == 1)))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _means(pattern[1:], parts[1:])
