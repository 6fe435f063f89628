"""Files that people look at appear whole or not at all, and what lies in their place and is not ours is kept."""

import contextlib
import itertools
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

IsOurs: TypeAlias = Callable[[Path], bool]
"""Tells whether what lies at a path may be replaced. It may be a link, a directory or a pipe."""
Tell: TypeAlias = Callable[[Path, Path], Any]
"""Is told of what was set aside: where it lay, and where it is kept."""


@contextlib.contextmanager
def put_in_place(path: Path, is_ours: IsOurs, tell: Tell) -> Iterator[Path]:
    """Gives the temporary name to write a file under, and puts the file in its place in one step once it is written.

    Args:
        path: where the file goes; missing directories are made. A link that lies there is not followed.
        is_ours: as for `make_room`.
        tell: the same.

    Yields:
        A path beside `path`.

    Raises:
        OSError: if it cannot be put there; what was there before is unchanged then, or set aside.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        yield temporary
        make_room(path, is_ours, tell)
        os.replace(temporary, path)  # noqa: PTH105  the same call as Path.replace, named for what it guarantees
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def make_room(path: Path, is_ours: IsOurs, tell: Tell) -> None:
    """Sets aside what lies in the place of a file, whatever it is, unless it is ours.

    Args:
        path: the place.
        is_ours: asked if there is anything.
        tell: called if something was set aside.

    Raises:
        OSError: if it cannot be set aside.
    """
    with contextlib.suppress(FileNotFoundError):  # somebody has just taken it away
        if os.path.lexists(path) and not is_ours(path):
            tell(path, set_aside(path))


def set_aside(path: Path) -> Path:
    """Renames whatever lies at a path to `<name>.bak`, or to the first of `<name>.bak2`, ... that is free.

    Args:
        path: what is renamed; a link is, and not what it leads to.

    Returns:
        Its new name.

    Raises:
        OSError: if it cannot be renamed, or is a device, which others use.
    """
    mode = path.lstat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise FileExistsError(f"{path} is a device, and stays where it is")
    is_directory = path.is_dir() and not path.is_symlink()
    for suffix in itertools.chain([".bak"], (f".bak{number}" for number in itertools.count(2))):
        kept = path.with_name(f"{path.name}{suffix}")
        if os.path.lexists(kept):
            continue
        try:
            if not is_directory:
                kept.touch(exist_ok=False)  # of two that set something aside at once, the other finds the name taken
        except FileExistsError:
            continue
        try:
            os.replace(path, kept)  # noqa: PTH105  as above
        except OSError:
            if not is_directory:
                kept.unlink()
            raise
        return kept
    raise AssertionError("numbers do not end")


@contextlib.contextmanager
def put_where_told(path: Path) -> Iterator[Path]:
    """The same for a file that a person names on the command line, which is written over, as by every other tool.

    Args:
        path: where the file goes; missing directories are made. A link is followed, and what lies there and is no file (a
            pipe, `/dev/stdout`) is written to.

    Yields:
        A path to write the file under.

    Raises:
        OSError: if it cannot be written; what was there before is unchanged then, if it was a file.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with tempfile.TemporaryDirectory() as directory:
            temporary = Path(directory) / "file"
            yield temporary
            with temporary.open("rb") as written, path.open("wb") as there:
                shutil.copyfileobj(written, there)
        return
    with put_in_place(Path(os.path.realpath(path)), lambda _: True, lambda *_: None) as temporary:
        yield temporary
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))


def json_text(value: Any) -> str:
    """Strict JSON for people: indented, non-ASCII characters as they are."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair has no UTF-8
        text = json.dumps(value, indent=2, allow_nan=False)
    return text + "\n"
