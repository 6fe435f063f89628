"""Files that people look at appear whole or not at all."""

import contextlib
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes a file under a temporary name beside its place and puts it there in one step.

    Args:
        path: where the file goes; missing directories are made.
        content: text (written as UTF-8) or bytes.

    Raises:
        OSError: if it cannot be written; what was there before is unchanged then.
    """
    with put_in_place(path) as temporary:
        temporary.write_bytes(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)


@contextlib.contextmanager
def put_in_place(path: Path) -> Iterator[Path]:
    """Gives the temporary name to write a file under, and puts the file in its place in one step once it is written.

    Args:
        path: where the file goes; missing directories are made.

    Yields:
        A path beside `path`.

    Raises:
        OSError: if it cannot be put there; what was there before is unchanged then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)  # noqa: PTH105  the same call as Path.replace, named for what it guarantees
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def set_aside(path: Path) -> Path:
    """Renames a file to `<name>.bak`, or to the first of `<name>.bak2`, ... that is free.

    Args:
        path: the file.

    Returns:
        Its new name.

    Raises:
        OSError: if it cannot be renamed.
    """
    names = itertools.chain([".bak"], (f".bak{number}" for number in itertools.count(2)))
    kept = next(name for suffix in names if not (name := path.with_name(f"{path.name}{suffix}")).exists())
    os.replace(path, kept)  # noqa: PTH105  as above
    return kept


def json_text(value: Any) -> str:
    """Strict JSON for people: indented, non-ASCII characters as they are."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair has no UTF-8
        text = json.dumps(value, indent=2, allow_nan=False)
    return text + "\n"
