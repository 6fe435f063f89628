"""What a sweep varies: which keys, and so whether its jobs may differ in a key, asked before any of them is composed."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.given_overrides import task_overrides

Path = tuple[str, ...]


def may_differ(config: DictConfig, key: str) -> bool:
    """Tells whether a sweep varies a key.

    Args:
        config: the config of `on_multirun_start`.
        key: a dotted key.

    Returns:
        True if the sweep varies the key itself, a part of it, or a node or config group it lies in; if it is interpolated
        from such a key; and if its value is still to come (`???`), as that of `hydra.job.num` is. What an option of a swept
        group sets elsewhere in the config is not seen.
    """
    overrides = task_overrides(config) if OmegaConf.select(config, "hydra.overrides.task") else []
    params = OmegaConf.select(config, "hydra.sweeper.params") or {}
    swept = {_path(swept_key) for swept_key in swept_keys(overrides, params)}
    plain = OmegaConf.to_container(config, resolve=False)
    return _differs(_path(key), swept, plain, set())


def swept_keys(overrides: Iterable[str], params: Iterable[str] = ()) -> set[str]:
    """Tells what a sweep varies.

    Args:
        overrides: the task overrides of a sweep, such as `["x=1,2", "db/engine=mysql,lite", "y=3"]`.
        params: the keys of `hydra.sweeper.params`, which hold for the jobs alone, so that all of them vary.

    Returns:
        Dotted keys, config groups as the package they choose for: `{"x", "db.engine"}`. What Hydra cannot read is left out.
    """
    keys = {param.lstrip("+~") for param in map(str, params)}
    for override in overrides:
        try:
            parsed = OverridesParser.create().parse_override(override)
        except HydraException:
            continue
        if parsed.is_sweep_override():
            keys.add(parsed.key_or_group if parsed.package is None else parsed.package)
    return {key.rpartition("@")[2].replace("/", ".") for key in keys}


def _path(key: str) -> Path:
    return tuple(part for part in re.split(r"[.\[\]]+", key) if part)


def _differs(path: Path, swept: AbstractSet[Path], plain: Any, seen: set[Path]) -> bool:
    if path in seen:
        return False
    seen.add(path)
    if any(path[: len(other)] == other or other[: len(path)] == path for other in swept):
        return True
    place, value = _value_at(path, plain)
    return value == "???" or any(_differs(source, swept, plain, seen) for source in _sources(place, value))


def _value_at(path: Path, plain: Any) -> tuple[Path, Any]:
    """What stands there, or the text above it that stands for a whole node; and where that stands."""
    value = plain
    for depth, part in enumerate(path):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return path[:depth], value
    return path, value


def _sources(place: Path, value: Any) -> Iterator[Path]:
    """The keys that an interpolation may read: each word in it, for what is no key is not swept either."""
    if not isinstance(value, str) or "${" not in value:
        return
    for dots, key in re.findall(r"(\.*)([A-Za-z_][\w./\[\]-]*)", value):
        yield (*place[: len(place) - len(dots)], *_path(key)) if dots else _path(key)
