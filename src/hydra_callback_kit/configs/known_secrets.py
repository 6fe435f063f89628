"""What is secret in a run: which keys its config says are, and the values that they have, had, and will have at the end.

Values are looked for when something of a job or a run is written for the first time, which is before the job begins: it may
pop the variable, rotate the token or change the config. They are looked for again at its end.
"""

import functools
import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.callback_urls import urls_in
from hydra_callback_kit.configs.containers import is_container
from hydra_callback_kit.configs.given_overrides import hydra_overrides, task_overrides
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.plain_values import PlainReader
from hydra_callback_kit.configs.reading import reading
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.configs.secret_keys import DEFAULT_SECRET_KEYS, SecretKeys
from hydra_callback_kit.journal.masking import passwords_in

_CALLBACK: Final = "RedactionCallback"
_OF_HYDRA: Final = (("job", "env_set"), ("sweeper",), ("launcher",))
"""The parts of Hydra's own config that may hold a secret."""
_VARIABLE: Final = r"\$\{\s*oc\.env\s*:\s*([^\s,:{}]+)"


def redaction_of(config: DictConfig) -> Redaction:
    """Returns the redaction that a run's config asks for, which knows the secrets of this config.

    Args:
        config: the config that Hydra handed to a hook.
    """
    notes = notes_of(config)
    if "secret_keys" not in notes:
        with reading(config):
            nodes = OmegaConf.select(config, "hydra.callbacks") or {}
            chosen = [keys for node in _callback_nodes(nodes) if (keys := _keys_of(node)) is not None]
        notes["secret_keys"] = [key for keys in chosen for key in keys] if chosen else list(DEFAULT_SECRET_KEYS)
    if "redaction_key" not in notes:
        notes["redaction_key"] = os.urandom(16)
    redaction = _redaction(tuple(notes["secret_keys"]), notes["redaction_key"])
    this_config = os.getpid(), id(config)  # a job's config starts with a copy of the run's notes
    if notes.get("secrets_read") != this_config:
        notes["secrets_read"] = this_config
        redaction.count_as(notes.get("earlier_marks", {}))
        redaction.learn(notes.get("secrets", ()))
        learn_secrets(config, redaction)
        redaction.learn(urls_in(config))
        if "hydra" in config:
            redaction.learn(redaction.secrets_in_overrides([*task_overrides(config), *hydra_overrides(config)]))
    return redaction


def tell_the_jobs(config: DictConfig) -> None:
    """Lets the jobs know the secrets of their sweep: the config's own, and those that other jobs are given.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
    """
    of_urls = {secret for url in urls_in(config) for secret in (url, *passwords_in(url))}
    known = [secret for secret in redaction_of(config).known() if secret not in of_urls]  # no job needs them, or has them
    if known:
        notes_of(config)["secrets"] = known


def count_as_before(config: DictConfig, earlier: Mapping[str, str]) -> None:
    """Gives the secrets of a sweep that goes on the marks that they have on record, in its jobs as well.

    Args:
        config: the config of `on_multirun_start`.
        earlier: the mark on record by the one that it would be now.
    """
    notes = notes_of(config)
    known: dict[str, str] = notes.get("earlier_marks", {})
    new = {mark: before for mark, before in earlier.items() if mark not in known and before not in known.values()}
    if new:
        notes["earlier_marks"] = known | new
        redaction_of(config).count_as(new)


def learn_secrets(config: Any, redaction: Redaction) -> None:
    """Takes in the secrets that stand in a config now.

    Args:
        config: that of a hook, or the one that a task function got.
        redaction: the run's.
    """
    if isinstance(config, DictConfig):
        places = list(_places(config, redaction.keys))
        if places:  # few configs have any
            found: list[str] = []
            with reading(config):
                for parent, key, node in places:
                    value = PlainReader().read(parent, key, node, (str(key),))
                    found += (secret for secret in redaction.secrets_in({str(key): value}) if not _is_as_written(secret))
                    found += _variables(node, redaction.keys)
            redaction.learn(found)


def _places(config: DictConfig, keys: SecretKeys) -> Iterator[tuple[Any, Any, Any]]:
    """Where secrets may stand, without reading the config: the container, the key or index, and the node."""
    waiting: list[Any] = [config]
    while waiting:
        container = waiting.pop()
        content = container.__dict__["_content"]
        items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
        secret = keys.secret_ones(content) if isinstance(content, dict) else ()
        for key, node in items:
            if container is config and key == "hydra":
                waiting += _parts_of_hydra(node)
            elif key in secret:
                yield container, key, node
            elif is_container(node):
                waiting.append(node)
            else:
                value = node._val  # noqa: SLF001  as it is written
                if isinstance(value, str) and ("://" in value or "oc.env" in value):
                    yield container, key, node


def _parts_of_hydra(node: Any) -> Iterator[Any]:
    for path in _OF_HYDRA:
        part = node
        for key in path:
            content = part.__dict__["_content"] if isinstance(part, DictConfig) else None
            part = content.get(key) if isinstance(content, dict) else None
        if is_container(part):
            yield part


def _is_as_written(text: str) -> bool:
    return text == "???" or "${" in text


def _variables(node: Any, keys: SecretKeys) -> Iterator[str]:
    """The values of the environment variables that an interpolation names, where their names are secret ones."""
    written = node._value()  # noqa: SLF001  as it is written
    if isinstance(written, str):
        for name in re.findall(_VARIABLE, written):
            if keys.is_secret(name) and name in os.environ:
                yield os.environ[name]


def _keys_of(node: Mapping[Any, Any]) -> list[str] | None:
    """The words that a callback's node says are secret; None if it is no `RedactionCallback`."""
    module, _, name = str(node.get("_target_")).rpartition(".")
    if name != _CALLBACK:
        made = getattr(sys.modules.get(module), name, None)  # Hydra has imported it
        if not isinstance(made, type) or _CALLBACK not in (base.__name__ for base in made.__mro__):
            return None
        return list(instantiate(node).keys)  # a subclass may choose its own
    given = node.get("keys")
    return list(DEFAULT_SECRET_KEYS if given is None else given)


def _callback_nodes(nodes: Mapping[Any, Any]) -> Iterator[Mapping[Any, Any]]:
    """The nodes of all callbacks, those that others wrap included."""
    for node in nodes.values():
        if isinstance(node, Mapping):
            yield node
            wrapped = node.get("callbacks")
            yield from _callback_nodes(wrapped if isinstance(wrapped, Mapping) else {})


@functools.lru_cache
def _redaction(secret_keys: tuple[str, ...], key: bytes) -> Redaction:
    return Redaction(secret_keys, key)
