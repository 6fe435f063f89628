"""A config as plain values, resolved and without secrets: the app's own part, or Hydra's node."""

from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import NOTES
from hydra_callback_kit.configs.plain_values import PlainReader, plain_name
from hydra_callback_kit.configs.reading import reading


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
    reader = PlainReader()
    with reading(config):
        plain = {str(plain_name(key)): item for key, item in reader.items(config, but="hydra")}
    redaction = redaction_of(config)
    # an interpolation may have brought a secret to where the key does not tell: postgres://user:${db.password}@host
    redaction.learn(redaction.secrets_in(plain))
    return AppConfig(redaction.of_value(plain), tuple(map(redaction.of_text, reader.as_written)))


def hydra_config(config: DictConfig) -> dict[str, Any]:
    """Reads Hydra's node of a job's config, for the record.

    Args:
        config: the config that Hydra handed to a hook.

    Returns:
        Plain Python values, interpolations resolved as far as that needs no resolver of the app's, secrets redacted.
    """
    with reading(config):
        node: dict[str, Any] = PlainReader().read(config, "hydra", config.hydra, ("hydra",))
    redaction = redaction_of(config)
    redaction.learn(redaction.secrets_in(node))
    given = {name: redaction.of_overrides(overrides) for name, overrides in node["overrides"].items()}
    return {**redaction.of_value(node), "overrides": given}


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
