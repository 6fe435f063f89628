"""The urls that messages go to, which callbacks are given: each is a secret as a whole, also where its key does not say so.

What a config holds of them as they are, and not by `${oc.env:...}`, Hydra would save: beside the job, in `multirun.yaml` and
in what it sends to workers. The run's own process alone needs them, so they are taken out of its config once it has started.
"""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf, read_write

from hydra_callback_kit.configs.given_overrides import hydra_overrides
from hydra_callback_kit.configs.plain_values import PlainReader
from hydra_callback_kit.configs.reading import reading
from hydra_callback_kit.journal.masking import MARK, is_marked

KEY: Final = "urls"
_HIDDEN: Final = "redacted"
"""What stands for a url in an override: a word that Hydra's grammar takes in quotes and without."""


class _Place(NamedTuple):
    """Where a url stands: the container, its key or index, and the node as it is written."""

    container: Any
    key: Any
    node: Any

    @property
    def literal(self) -> str | None:
        """The url, if it stands there as it is."""
        value = self.node._value()  # noqa: SLF001  as it is written
        return value if isinstance(value, str) and value.strip() and "${" not in value else None


def urls_in(config: DictConfig) -> list[str]:
    """The urls that the callbacks of a config are given, interpolations resolved.

    Args:
        config: the config that Hydra handed to a hook.
    """
    found: list[Any] = []
    places = list(_places(config))
    if places:  # few configs have any
        with reading(config):
            found = [PlainReader().read(*place, (str(place.key),)) for place in places]
    texts = [text for each in found for text in (each if isinstance(each, list) else [each])]
    given = [text for text in texts if isinstance(text, str) and "://" in text]
    return [url for text in given for url in (text.strip(), *text.split()) if "://" in url]


def hide_urls_of_run(config: DictConfig, hide: Callable[[str], str]) -> None:
    """Takes urls out of a run's config, and out of the copy of it that Hydra 1.4 has made for all to see.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`, of which callbacks have been made.
        hide: takes secrets out of a text.
    """
    hide_urls(config, hide)
    seen = HydraConfig.instance().cfg
    if isinstance(seen, DictConfig):
        hide_urls(seen, hide)


def hide_urls(config: DictConfig, hide: Callable[[str], str]) -> None:
    """Takes the urls that stand in a config as they are out of it, and out of its overrides.

    Args:
        config: a config with Hydra's node.
        hide: takes secrets out of a text.
    """
    for place in _places(config):
        if place.literal is not None:
            with read_write(config), read_write(place.container):
                place.container[place.key] = hide(place.literal.strip())
    for index, override in enumerate(hydra_overrides(config)):
        hidden = re.sub(MARK, _HIDDEN, hide(override)) if KEY in override else override
        if hidden != override and _is_an_override(hidden):
            overrides = config.hydra.overrides.hydra
            with read_write(config), read_write(overrides):
                overrides[index] = hidden


def hide_urls_in_saved_config(config: DictConfig, hide: Callable[[str], str]) -> None:
    """Takes them out of what Hydra saves before any callback hears of the job, those under the app's own keys included.

    Args:
        config: the config of `on_job_start`.
        hide: takes secrets out of a text.
    """
    subdir = config.hydra.output_subdir
    if subdir is None:
        return
    directory = Path(config.hydra.runtime.output_dir) / subdir
    literals = [place.literal for place in _places(config) if place.literal is not None]
    if any(not is_marked(literal) for literal in literals):
        _rewrite(directory / "hydra.yaml", hide)
    for name in ("config.yaml", "hydra.yaml", "overrides.yaml"):
        _take_out(directory / name, urls_in(config), hide)


def hide_urls_in_saved_sweep(config: DictConfig, root: Path, hide: Callable[[str], str]) -> None:
    """Takes those under the app's own keys out of the config that Hydra has saved with a sweep.

    Args:
        config: the config of `on_multirun_end`.
        root: the sweep's directory.
        hide: takes secrets out of a text.
    """
    _take_out(root / "multirun.yaml", urls_in(config), hide)


def _take_out(file: Path, urls: list[str], hide: Callable[[str], str]) -> None:
    """Takes urls out of a YAML file; what else is secret there is the app's, and stays as Hydra has it."""

    def without(text: str) -> str:
        for url in sorted(urls, key=len, reverse=True):
            for written in (url, url.replace("'", "''"), json.dumps(url)[1:-1]):
                text = text.replace(written, hide(url))
        return text

    if urls:
        with contextlib.suppress(FileNotFoundError):  # not every launcher has Hydra save it
            _rewrite(file, without)


def _rewrite(file: Path, change: Callable[[str], str]) -> None:
    text = file.read_text("utf-8")
    changed = change(text)
    if changed != text:
        temporary = file.with_name(f".{file.name}.{os.urandom(4).hex()}.tmp")
        try:
            temporary.write_text(changed, "utf-8")
            temporary.replace(file)
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()


def _places(config: DictConfig) -> Iterator[_Place]:
    waiting: list[Any] = [OmegaConf.select(config, "hydra.callbacks")] if "hydra" in config else []
    while waiting:
        node = waiting.pop()
        content = node.__dict__["_content"] if isinstance(node, DictConfig) else None
        for key, item in content.items() if isinstance(content, dict) else ():
            if key != KEY:
                waiting.append(item)
            elif isinstance(item, ListConfig) and isinstance(item.__dict__["_content"], list):
                yield from (_Place(item, index, each) for index, each in enumerate(item.__dict__["_content"]))
            elif not isinstance(item, DictConfig):
                yield _Place(node, key, item)


def _is_an_override(text: str) -> bool:
    try:
        OverridesParser.create().parse_override(text)
    except HydraException:
        return False
    return True
