"""`redaction_callback`: which config keys are secret, said once for everything this package writes."""

from collections.abc import Sequence

from hydra_callback_kit.configs.secret_keys import DEFAULT_SECRET_KEYS
from hydra_callback_kit.hooks.hydra_callback import Callback
from hydra_callback_kit.hooks.known_parameters import KnownParameters
from hydra_callback_kit.hooks.parameters import ParameterError


class RedactionCallback(KnownParameters, Callback):
    """Says which config keys hold secrets. Their values are hidden in all logs and files of this package's callbacks.

    In their place stands `<redacted 48213>`, with the same number for the same secret within a run, and another one for
    another secret. The number tells nothing of the secret. A secret of six characters or more is hidden in all other texts
    as well, however it is quoted; a shorter one where it is the whole text. What counts is the value when the job starts and
    the value when it ends.

    It has no hooks: the other callbacks look here, wherever it stands in the list. A subclass counts as well, with the
    `keys` that it gives to this class. Without it the default keys hold. A key
    is secret when it has one of the words: `token` makes `hf_token` and `apiToken` secret, not `max_tokens` and not
    `tokenizer`. Case, `-` and `_` make no difference. With the default words, `token` counts only at the end of a key, and
    not where it is a tokenizer's (`pad_token`, `eos_token`). A number is hidden only where the key ends with the word
    (`db_password`, not `password_length`); null and booleans are not. The password of an address is hidden under any key:
    `postgres://me:secret@host`.

    Args:
        keys: the words that make a key secret. They replace the default ones, which are password, passwords, passwd,
            passphrase, token, secret, secrets, credential, credentials, and `_key` and `_keys` after api, access, private
            and secret; an empty list redacts nothing.

    Raises:
        ParameterError: if a word is empty.

    Files:
        None.

    Example:
        ```yaml
        defaults:
          - callbacks: [logging_callback, redaction_callback]
          - _self_

        hydra:
          callbacks:
            redaction_callback:
              keys: [password, ssn]
        ```
    """

    def __init__(self, keys: Sequence[str] = DEFAULT_SECRET_KEYS) -> None:
        self.keys = [str(key) for key in keys]
        if not all(key.strip() for key in self.keys):
            raise ParameterError("keys", self.keys, "a list of words", "Leave the empty word out: it would match every key.")
