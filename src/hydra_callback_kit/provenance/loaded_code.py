"""The app's own code, as far as it is loaded: a digest of each file, cheap enough for every start of a sweep."""

import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_NOT_THE_APPS: Final = frozenset(("hydra_callback_kit", "hydra_plugins"))
_OF_LIBRARIES: Final = frozenset(("site-packages", "dist-packages"))
MAX_FILES: Final = 2_000
"""Of an app with more modules only so many are looked at."""


def loaded_code() -> dict[str, str]:
    """Tells what the app's modules are that are loaded now.

    Returns:
        A short digest of the source file of each module, by its name: those that lie neither in the standard library nor
        in `site-packages`. A file that cannot be read is left out.
    """
    digests: dict[str, str] = {}
    for name, file in _own_modules():
        try:
            digests[name] = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]
        except OSError:
            continue
        if len(digests) == MAX_FILES:
            break
    return dict(sorted(digests.items()))


def changed_modules(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The modules whose files are others now, the program by its file; what is loaded only once of two says nothing.

    Args:
        before: of `loaded_code`.
        now: the same, later.
    """
    program = Path(sys.argv[0]).name or "__main__"
    changed = [name for name in before if name in now and before[name] != now[name]]
    return [program if name == "__main__" else name for name in changed]


def _own_modules() -> Iterator[tuple[str, str]]:
    standard = {os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in _NOT_THE_APPS and isinstance(module, ModuleType):
            # a module that is loaded on first use stays as it is
            file: Any = ModuleType.__getattribute__(module, "__dict__").get("__file__")
            if isinstance(file, str) and _OF_LIBRARIES.isdisjoint(Path(file).parts):
                path = os.path.realpath(file)
                if path.endswith(".py") and not any(path.startswith(f"{place}{os.sep}") for place in standard):
                    yield name, path
