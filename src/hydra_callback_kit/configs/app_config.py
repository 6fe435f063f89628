"""The app's own part of a config as plain values: resolved, without secrets, without Hydra's node."""

import enum
from typing import Any, Final, NamedTuple

from omegaconf import DictConfig, ListConfig, Node, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_callback_kit.configs.notes import NOTES
from hydra_callback_kit.configs.reading import reading
from hydra_callback_kit.configs.redaction import redaction_of
from hydra_callback_kit.journal.masking import masked

MAX_DEPTH: Final = 50
"""Interpolations that are nested deeper are not resolved to mappings and lists."""
MAX_BROUGHT_IN: Final = 10_000
"""So many mappings and lists are brought in by the interpolations of a config."""


class AppConfig(NamedTuple):
    """The app's own part of a config.

    Attributes:
        values: plain Python values, interpolations resolved, secrets redacted, enums by name; missing values are `???`.
        as_written: the keys of the interpolations that are left as they are written: those that cannot be resolved, and
            those that only a resolver of the app's can tell, which is not called for a record.
    """

    values: dict[str, Any]
    as_written: tuple[str, ...] = ()


def app_config(config: DictConfig) -> AppConfig:
    """Reads the config that the task function gets, for people and for the record.

    `OmegaConf.to_container` does the same for a config that can be resolved as a whole, in five times the time.

    Args:
        config: the config that Hydra handed to a hook.
    """
    plain, as_written = _plain_app(config)
    redaction = redaction_of(config)
    # an interpolation may have brought a secret to where the key does not tell: postgres://user:${db.password}@host
    redacted: dict[str, Any] = masked(redaction.of_value(plain), redaction.secrets_in(plain))
    return AppConfig(redacted, as_written)


def take_over_answers(config: DictConfig, task_config: Any) -> None:
    """Lets a config know what the app's resolvers that keep their answers have answered to the task function.

    Args:
        config: the config of `on_job_end`; no job is made of it any more.
        task_config: the config that the task function got.
    """
    if not isinstance(task_config, DictConfig):
        return
    known = OmegaConf.get_cache(config)
    for resolver, answers in OmegaConf.get_cache(task_config).items():
        if resolver != NOTES:
            for arguments, answer in answers.items():
                known[resolver].setdefault(arguments, answer)


def secrets_of(config: DictConfig) -> dict[str, str]:
    """The secret texts of a config, which must not appear in what is written of an error either, each with its mark."""
    plain, _ = _plain_app(config)
    return redaction_of(config).secrets_in(plain)


def _plain_app(config: DictConfig) -> tuple[dict[str, Any], tuple[str, ...]]:
    reader = _Reader()
    with reading(config):
        plain = {
            str(_name(key)): reader.read(config, key, node, (str(_name(key)),))
            for key, node in config.items_ex(resolve=False)
            if key != "hydra"
        }
    return plain, tuple(reader.as_written)


class _Reader:
    """Reads one config. Interpolations may bring in what they stand in, without end: then they stay as they were written."""

    def __init__(self) -> None:
        self._brought_in = 0
        self.as_written: list[str] = []

    def read(self, parent: Any, key: Any, node: Any, path: tuple[str, ...]) -> Any:
        value = node._value() if isinstance(node, Node) else node  # noqa: SLF001  as it was written; to read it takes much longer
        if isinstance(value, str) and ("${" in value or value == "???"):
            written = value
            try:
                node = value = parent[key]
            except OmegaConfBaseException:
                return self._left(written, path)
            if isinstance(node, (DictConfig, ListConfig)):
                self._brought_in += 1
                if len(path) > MAX_DEPTH or self._brought_in > MAX_BROUGHT_IN:
                    return self._left(written, path)
        if isinstance(node, DictConfig) and value is not None:
            return {
                _name(name): self.read(node, name, item, (*path, str(_name(name))))
                for name, item in node.items_ex(resolve=False)
            }
        if isinstance(node, ListConfig) and value is not None:
            items = enumerate(node._iter_ex(resolve=False))  # noqa: SLF001  the same
            return [self.read(node, index, item, (*path, str(index))) for index, item in items]
        return _name(value)

    def _left(self, written: str, path: tuple[str, ...]) -> str:
        if written != "???":
            self.as_written.append(".".join(path))
        return written


def _name(value: Any) -> Any:
    return value.name if isinstance(value, enum.Enum) else value
