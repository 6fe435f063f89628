"""A place in a store that fsspec knows: a bucket, a network folder, the memory of this process.

Nothing of fsspec is imported before a place is opened.
"""

import contextlib
import difflib
import importlib.util
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
"""A scheme of one letter is a drive of Windows."""

_BUCKETS: Final = frozenset(("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "r2", "hf"))
"""Where there are no directories to make: to make one would make a bucket."""


class UnknownSchemeError(ValueError):
    """No store has such URLs.

    Attributes:
        scheme: what stands before `://`.
        nearest: a scheme that is similar; empty if there is none.
    """

    def __init__(self, scheme: str, nearest: str) -> None:
        super().__init__(f"fsspec knows no {scheme}://")
        self.scheme = scheme
        self.nearest = nearest


def is_url(text: object) -> bool:
    """Whether a text is a URL, and no path."""
    return isinstance(text, str) and _URL.match(text) is not None


def lies_in(url: str, directory: Path) -> bool:
    """Whether a place is in a directory of this machine, whichever links lead there.

    Args:
        url: a URL or a path.
        directory: the directory.
    """
    scheme = _URL.match(url)
    if scheme is not None and scheme[1].lower() not in ("file", "local"):
        return False
    path = url if scheme is None else url.partition("://")[2]
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(directory))


def missing_library(url: str) -> str | None:
    """The library that reaches a URL, if it is not installed. Neither it nor fsspec's own are imported.

    Args:
        url: a URL or a path.

    Raises:
        UnknownSchemeError: if no store has such URLs.
    """
    if importlib.util.find_spec("fsspec") is None:
        return "fsspec"
    scheme = _URL.match(url)
    if scheme is None:
        return None
    from fsspec.registry import known_implementations, registry  # noqa: PLC0415  few apps need it

    name = scheme[1].lower()
    if name in registry:  # somebody's own
        return None
    if name not in known_implementations:
        nearest = difflib.get_close_matches(name, known_implementations, n=1)
        raise UnknownSchemeError(scheme[1], nearest[0] if nearest else "")
    module = known_implementations[name]["class"].partition(".")[0]
    return None if importlib.util.find_spec(module) is not None else module


def load(url: str) -> None:
    """Imports the library that reaches a URL: an import takes its time, and is nothing to wait for as long as for a store.

    Args:
        url: as above.
    """
    from fsspec import get_filesystem_class  # noqa: PLC0415  as above

    scheme = _URL.match(url)
    get_filesystem_class("file" if scheme is None else scheme[1].lower())


class Store:
    """A place in a store, opened.

    Args:
        url: where it is; a path is a folder of this machine's.
        options: what fsspec's file system for it is made with, such as `endpoint_url`.

    Attributes:
        base: the place, as the file system calls it.
        is_local: whether it is a folder of this machine's.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        from fsspec.core import url_to_fs  # noqa: PLC0415  as above

        # each has a file system of its own, which remembers no listing: others write there, too
        given: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True, **options}
        self._fs, base = url_to_fs(url, **given)
        self.base: str = str(base).rstrip("/")
        schemes = (self._fs.protocol,) if isinstance(self._fs.protocol, str) else tuple(self._fs.protocol)
        self.is_local = "file" in schemes
        self._has_buckets = bool(_BUCKETS.intersection(schemes))

    def place_of(self, name: str) -> str:
        """How the file system calls a file below this place."""
        return f"{self.base}/{name}"

    def listed(self, below: str = "") -> dict[str, dict[str, Any]]:
        """What lies there, by the names below this place, with what the store says of each file.

        Args:
            below: a directory in it; empty for all.
        """
        start = self.place_of(below) if below else self.base
        try:
            found: dict[str, dict[str, Any]] = self._fs.find(start, detail=True)
        except FileNotFoundError:
            return {}
        return {name[len(self.base) :].lstrip("/"): info for name, info in found.items() if info.get("type") != "directory"}

    def info(self, name: str) -> dict[str, Any]:
        """What the store says of a file."""
        said: dict[str, Any] = self._fs.info(self.place_of(name))
        return said

    def read(self, name: str) -> bytes | None:
        """A small file; None if it is not there."""
        try:
            content: bytes = self._fs.cat_file(self.place_of(name))
        except FileNotFoundError:
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Writes a small file."""
        self.make_room(name)
        self._fs.pipe_file(self.place_of(name), content)

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self.place_of(name))

    def remove_if_empty(self, *names: str) -> None:
        """Removes directories that nothing lies in: some below this place, and the place itself."""
        for place in (*map(self.place_of, names), self.base) if not self._has_buckets else ():
            with contextlib.suppress(OSError, NotImplementedError):
                self._fs.rmdir(place)

    def make_room(self, name: str) -> None:
        """Makes the directory that a file goes into, in a store that has directories."""
        if not self._has_buckets:
            self._fs.makedirs(os.path.dirname(self.place_of(name)), exist_ok=True)  # noqa: PTH120  it is no path here

    def open(self, name: str, mode: str, block_size: int) -> Any:
        """Opens a file there.

        Args:
            name: the file.
            mode: `rb` or `wb`.
            block_size: the bytes that are sent or read at once.
        """
        return self._fs.open(self.place_of(name), mode, block_size=block_size)

    def fetch(self, names: Iterable[str], to: Path) -> None:
        """Copies files from there into a directory of this machine's."""
        places = {name: to / name for name in names}
        for place in places.values():
            place.parent.mkdir(parents=True, exist_ok=True)
        self._fs.get([self.place_of(name) for name in places], [str(place) for place in places.values()])
