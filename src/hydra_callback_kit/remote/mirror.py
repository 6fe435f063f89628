"""What can be read of a run that lies in a store: its journal and what its jobs reported, copied here for this process.

It then is a run's directory like any other. What is printed of it names the store: see `named`.
"""

import atexit
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.format import JOURNAL_DIR, JournalNotFoundError
from hydra_callback_kit.journal.metric_points import NAME as POINTS
from hydra_callback_kit.remote.mark import MARK, NOT_WHOLE, whole
from hydra_callback_kit.remote.store import Store, missing_library

_IN_JOURNAL: Final = f"{JOURNAL_DIR}/"

_USER: Final = re.compile(r"(?<=://)[^/]*@")
"""Who asks, and the password: nobody is shown them."""

_mirrors: Final[dict[str, Path]] = {}
"""The copies, by the URLs that they are of."""


class NoRunThereError(JournalNotFoundError):
    """No run lies at a URL or below it, or none of which all is there.

    Attributes:
        url: where was looked.
        why: why there is none, in words.
    """

    def __init__(self, url: str, why: str) -> None:
        super().__init__(Path(url))
        self.args = (f"{_USER.sub('', url)} {why}",)
        self.url = url
        self.why = why

    def __reduce__(self) -> tuple[type["NoRunThereError"], tuple[str, str]]:  # type: ignore[override]  # it takes others
        """Workers send it home."""
        return type(self), (self.url, self.why)


_NONE: Final = "holds no run recorded by hydra-callback-kit, and none lies below it"


def mirror(url: str) -> Path:
    """Copies what can be read of the runs at a URL and below it.

    Args:
        url: a run's directory in a store, or a folder above several.

    Returns:
        A directory that stands for it, as long as this process lives.

    Raises:
        NoRunThereError: if no run lies there.
        ModuleNotFoundError: if the library for that URL is not installed.
        OSError: or whatever that library raises, if it cannot be read.
    """
    url = url.rstrip("/")
    if url in _mirrors:
        return _mirrors[url]
    missing = missing_library(url)
    if missing is not None:
        raise ModuleNotFoundError(f"{_USER.sub('', url)} needs {missing}. Type: pip install {missing}", name=missing)
    store = Store(url, {})
    known = store.listed()
    runs = {_above(name, _IN_JOURNAL) for name in known if _is_journal(name)}
    begun = {name[: -len(MARK)] for name in known if name == MARK or name.endswith(f"/{MARK}")}
    for run in begun:
        if not whole(store.read(f"{run}{MARK}")):
            runs.discard(run)
    if not runs:
        raise NoRunThereError(url, NOT_WHOLE if begun else _NONE)
    directory = _new_directory() / (url.rpartition("/")[2] or "run")
    journals = [name for name in known if _is_journal(name) and _above(name, _IN_JOURNAL) in runs]
    points = [name for name in known if name.rpartition("/")[2] == POINTS and any(map(name.startswith, runs))]
    store.fetch([*journals, *points], directory)
    _mirrors[url] = directory
    return directory


def is_mirror(directory: Path) -> bool:
    """Whether a directory stands for a URL."""
    return any(directory.is_relative_to(copy) for copy in _mirrors.values())


def named(text: str) -> str:
    """A text in which URLs stand for the directories that are copies of them."""
    for url, directory in _mirrors.items():
        text = text.replace(str(directory), _USER.sub("", url))
    return text


def _is_journal(name: str) -> bool:
    return name.endswith(".jsonl") and (f"/{name}".rpartition("/")[0]).endswith(f"/{JOURNAL_DIR}")


def _above(name: str, part: str) -> str:
    """What stands before the last of such parts of a name."""
    return name[: name.rindex(part)]


def _new_directory() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="hydra-callback-kit-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory
