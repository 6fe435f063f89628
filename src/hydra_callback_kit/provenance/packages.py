"""Which packages are installed, told from the names of their metadata directories, which need not be read."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path


def installed_packages(path: Sequence[str] | None = None) -> dict[str, str]:
    """Lists the packages that can be imported.

    Args:
        path: the directories to look in, those first that come first on an import; `sys.path` if not given.

    Returns:
        The version of each package by its name, which is written as package indexes write it in their addresses: in lower
        case, with `-` for `_` and `.`; sorted by name.
    """
    found: dict[str, str] = {}
    for directory in sys.path if path is None else path:
        for entry in _metadata_in(directory or "."):
            name, version = _named(entry)
            canonical = re.sub(r"[-_.]+", "-", name).lower()
            if canonical not in found:
                found[canonical] = version or _written_version(Path(directory, entry))
    return dict(sorted(found.items()))


def _metadata_in(directory: str) -> list[str]:
    try:
        names = os.listdir(directory)  # noqa: PTH208  strings are all that is needed
    except OSError:  # a zip file, or a place that is not there
        return []
    # what begins with `~` is what pip left behind as it was interrupted
    return [name for name in names if name.endswith((".dist-info", ".egg-info")) and not name.startswith("~")]


def _named(entry: str) -> tuple[str, str]:
    """`name-1.0.dist-info`, `name-1.0-py3.11.egg-info`, or `name.egg-info` beside the source of a package."""
    stem, suffix = os.path.splitext(entry)  # noqa: PTH122  strings are all that is needed
    if suffix == ".egg-info":
        stem = re.sub(r"-py\d[\d.]*$", "", stem)
    name, _, version = stem.rpartition("-")
    return (name, version) if name else (stem, "")


def _written_version(metadata: Path) -> str:
    try:
        text = (metadata / "PKG-INFO").read_text("utf-8", "replace")
    except OSError:
        return ""
    found = re.search(r"^Version: *(\S+)", text, re.MULTILINE)
    return found[1] if found else ""
