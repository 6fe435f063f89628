"""The secrets in the configs that Hydra saved with a job: known before a file of the job is sent by another process."""

import os
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.known_secrets import learn_secrets
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.configs.secret_keys import DEFAULT_SECRET_KEYS
from hydra_callback_kit.journal.values import as_text


def redaction_by_saved_secrets(directory: Path, secret_keys: Any) -> Redaction:
    """Makes a redaction that hides what is secret in a job's saved config and overrides.

    Args:
        directory: the job's output directory.
        secret_keys: the words that make a key secret there, where the record has others than the usual ones.

    Raises:
        OSError: as from `learn_saved_secrets`.
        ValueError: the same.
    """
    words = map(as_text, secret_keys) if isinstance(secret_keys, list) else DEFAULT_SECRET_KEYS
    redaction = Redaction(words, os.urandom(16))
    learn_saved_secrets(directory, redaction)
    return redaction


def learn_saved_secrets(directory: Path, redaction: Redaction) -> None:
    """Has a redaction hide what is secret in a job's saved config and overrides.

    Args:
        directory: the job's output directory.
        redaction: what is hidden with.

    Raises:
        OSError: if a file cannot be read.
        ValueError: if one is not what Hydra writes; nothing of the job should be sent then.
    """
    for saved in directory.glob("*/hydra.yaml"):
        for name in ("config.yaml", "hydra.yaml", "overrides.yaml"):
            file = saved.with_name(name)
            if file.is_file():
                try:
                    content = OmegaConf.load(file)
                except Exception as error:  # whatever the reader of YAML raises
                    raise ValueError(
                        f"{file} cannot be read, so that nobody knows what is secret in its directory"
                    ) from error
                if isinstance(content, DictConfig):
                    learn_secrets(content, redaction)
                redaction.learn(redaction.secrets_in_overrides(str(line) for line in content if isinstance(line, str)))
