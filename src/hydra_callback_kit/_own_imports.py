"""What this package imports is the standard library, also where the app has files of the same names in front of it.

Python finds `statistics.py` beside the app before its own. An app that has such a file gets it as without us, whoever
imports first, and we get Python's: a second one, under a name below `hydra_callback_kit._standard`, so that nothing of ours
stands where the app's belongs. To that end the modules of this package have an `__import__` of their own, and so have those
that they are the first to import: the libraries that they use.

Nothing of this is loaded for an app that hides no module.
"""

# only what Python has loaded as it starts, or what nothing can hide
import _thread
import builtins
import importlib
import os
import sys
from importlib.machinery import PathFinder, SourceFileLoader

TYPE_CHECKING = False  # as type checkers know it, without `typing`
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Final

_STANDARD: "Final" = "hydra_callback_kit._standard"

_hidden: "Final[set[str]]" = set()
_places: "Final[set[str]]" = set()
"""The directories in which the app's modules lie that hide others."""
_past: "Final[list[str]]" = []
"""The standard library and what comes after it."""

_local = _thread._local()  # noqa: SLF001  `threading.local`
"""Whether the thread is in an import of this package's, or of what such an import loads."""


def find_past(candidates: "Mapping[str, Iterable[str]]", path: "Sequence[str]") -> None:
    """Has the imports of this package pass by what an app hides.

    Args:
        candidates: by directory that comes before the standard library: the names that it may hide.
        path: where to look instead: the standard library and what comes after it.
    """
    for place, names in candidates.items():
        for name in names:
            own = PathFinder.find_spec(name, [place])
            if own is None or own.loader is None:
                continue  # a folder without modules hides nothing
            loaded = getattr(getattr(sys.modules.get(name), "__spec__", None), "origin", own.origin)
            if loaded != own.origin:
                continue  # Python's own, which nothing hides any more
            if name in sys.stdlib_module_names or PathFinder.find_spec(name, path) is not None:
                _hidden.add(name)
                _places.add(place)
    if _hidden:
        _past.extend(path)
        standard = type(sys)(_STANDARD)
        standard.__path__ = list(path)
        sys.modules[_STANDARD] = standard
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds what this package imports; whatever others import, it has not seen."""

    @staticmethod
    def find_spec(
        fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if not getattr(_local, "imports", False) and not fullname.startswith("hydra_callback_kit."):
            return None
        if fullname in sys.builtin_module_names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader and not _is_the_apps(fullname, spec.loader.path):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
            return spec
        return None


def _is_the_apps(name: str, file: str) -> bool:
    """Whether a file lies beside an app, and not in a virtual environment there."""
    if name.startswith("hydra_callback_kit."):
        return False
    return _lies_in(file, _places) and not _lies_in(file, _past)


def _lies_in(file: str, directories: "Iterable[str]") -> bool:
    return any(file.startswith(directory.rstrip(os.sep) + os.sep) for directory in directories if directory)


class _Loader(SourceFileLoader):
    """Gives a module an `__import__` of its own."""

    def exec_module(self, module: "ModuleType") -> None:
        module.__dict__["__builtins__"] = _BUILTINS
        super().exec_module(module)


def _import(
    name: str,
    globals: "Mapping[str, object] | None" = None,  # noqa: A002  Python's own signature
    locals: "Mapping[str, object] | None" = None,  # noqa: A002  the same
    fromlist: "Sequence[str] | None" = (),
    level: int = 0,
) -> "Any":
    before = getattr(_local, "imports", False)
    _local.imports = True
    try:
        top = name.partition(".")[0]
        if level or top not in _hidden:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        if top in _NOT_TWICE:
            raise ImportError(f"the app has its own {top}, which hides the library of this name", name=top)
        imported = importlib.import_module(f"{_STANDARD}.{name}")
        for part in fromlist or ():
            if part != "*" and not hasattr(imported, part) and hasattr(imported, "__path__"):
                importlib.import_module(f"{_STANDARD}.{name}.{part}")
        return imported if fromlist else sys.modules[f"{_STANDARD}.{top}"]
    finally:
        _local.imports = before


_NOT_TWICE: "Final" = frozenset(("asyncio", "psutil"))
"""What looks for itself in `sys.modules`, where the app's own stands: of `asyncio` the part that is written in C."""

_BUILTINS: "Final" = {**vars(builtins), "__import__": _import}
