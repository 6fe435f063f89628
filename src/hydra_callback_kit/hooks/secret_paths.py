"""Warns of secrets in the names of directories: a name is no text that can be hidden, and everyone sees it."""

from pathlib import Path
from typing import Final

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.given_overrides import task_overrides
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.journal.safe_log import SafeLogger

_log = SafeLogger("hydra_callback_kit")

_DIRNAME: Final = "override_dirname"


def warn_of_a_secret_in(config: DictConfig, directory: Path, key: str) -> None:
    """Warns if the name of an output directory holds a secret, once for a run.

    Args:
        config: the config of a hook.
        directory: the directory of the run or of the job.
        key: the config key that names it.
    """
    notes = notes_of(config)
    if "secret_path" in notes:
        return
    text = str(directory)
    if redaction_of(config).of_text(text) != text:
        _warn(config, key, "The value stands in the name of a directory, and in what is recorded of it")


def warn_of_secrets_in_subdirectories(config: DictConfig) -> None:
    """Warns if the directories of a sweep's jobs are going to be named by their overrides, secret ones among them.

    Args:
        config: the config of `on_multirun_start`.
    """
    sweep = OmegaConf.to_container(config.hydra.sweep, resolve=False)
    if isinstance(sweep, dict) and any(_DIRNAME in str(written) for written in sweep.values()):
        excluded = OmegaConf.select(config, f"hydra.job.config.{_DIRNAME}.exclude_keys") or []
        if set(redaction_of(config).secret_keys_of(task_overrides(config))) - set(excluded):
            _warn(config, "hydra.sweep.subdir", "The value will stand in the names of directories")


def _warn(config: DictConfig, key: str, what: str) -> None:
    notes_of(config)["secret_path"] = True
    secret = redaction_of(config).secret_keys_of(task_overrides(config))
    exclude = f"hydra.job.config.{_DIRNAME}.exclude_keys=[{','.join(secret)}]" if secret else ""
    _log.caution(
        "%s holds a secret. %s, where everyone sees it. %s",
        key,
        what,
        f"Leave it out: type {exclude}, or choose another {key}." if exclude else f"Choose another {key}.",
    )
