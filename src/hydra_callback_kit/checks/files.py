"""A schema's file: where it is looked for, and what it holds."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hydra.core.global_hydra import GlobalHydra


def find(name: str) -> Path:
    """Finds a file next to the app's config directory or where the app was started.

    Args:
        name: an absolute path, or one relative to the config directory, to its parent, or to the current directory.

    Raises:
        FileNotFoundError: if it is in none of them; the message names them.
    """
    places = list(dict.fromkeys(path.resolve() for path in _places()))
    for place in places:
        if (place / name).is_file():
            return place / name
    looked = [Path(name)] if Path(name).is_absolute() else [place / name for place in places]
    raise FileNotFoundError(f"there is no file {' or '.join(map(str, looked))}")


def load(file: Path) -> Any:
    """Reads a JSON or YAML file.

    Args:
        file: its name ends in `.json`, or it is taken for YAML.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not what its name says.
    """
    text = file.read_text("utf-8")
    try:
        return json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _places() -> Iterator[Path]:
    if GlobalHydra.instance().is_initialized():
        for element in GlobalHydra.instance().config_loader().get_search_path().get_path():
            directory = _directory(element.path or "") if element.provider == "main" else None
            if directory is not None:
                yield from (directory, directory.parent)
    yield Path.cwd()


def _directory(search_path: str) -> Path | None:
    scheme, separator, path = search_path.rpartition("://")
    if not separator or scheme == "file":
        return Path(path)
    package, *below = path.split("/")
    spec = importlib.util.find_spec(package) if scheme == "pkg" and package else None
    return Path(next(iter(spec.submodule_search_locations)), *below) if spec and spec.submodule_search_locations else None
