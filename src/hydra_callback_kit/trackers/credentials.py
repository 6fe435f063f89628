"""What nobody may read of how a tracker is reached: passwords and tokens in addresses, and those in the environment."""

import os
import re
from collections.abc import Iterable
from typing import Final

from hydra_callback_kit.configs.redaction import Redaction

_USER: Final = re.compile(r"(?<=://)[^\s/?#'\"]*@")
_QUERY: Final = re.compile(r"(://[^\s?#'\"]*)[?#][^\s'\"]*")


def without_credentials(text: str) -> str:
    """A text whose addresses have no user, no password and no query: `https://host/path`.

    Args:
        text: an address, or any text that has some in it, such as an error's message.
    """
    return _QUERY.sub(r"\1", _USER.sub("", text)) if "://" in text else text


def learn_credentials(redaction: Redaction, prefixes: Iterable[str], addresses: Iterable[str] = ()) -> None:
    """Has a redaction hide what a tracker's library takes from the environment, and what stands in addresses.

    Args:
        redaction: the run's. One that hides nothing, because the user says so, learns nothing.
        prefixes: what the names of the library's variables begin with: `MLFLOW_`, `WANDB_`.
        addresses: where the tracker is, as it was given.
    """
    start = tuple(prefixes)
    named = [value for name, value in os.environ.items() if name.startswith(start) and redaction.keys.is_secret(name)]
    redaction.learn([*named, *(secret for address in addresses for secret in redaction.secrets_in(address))])
