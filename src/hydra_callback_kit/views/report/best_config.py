"""The config of the best setting or job, and what in it is not as in the sweep's config, before any job's overrides."""

import contextlib
import json
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.journal_lines import latest_facts
from hydra_callback_kit.journal.masking import is_marked
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_json
from hydra_callback_kit.views.comparison import VARIES, dotted
from hydra_callback_kit.views.yaml_text import yaml_text

MAX_TEXT: Final = 100_000
"""Characters of a config that are shown."""
MAX_DIFFERENCES: Final = 200
"""Keys that are shown with both of their values."""
MAX_SAVED_BYTES: Final = 1 << 20
"""Size of a file of Hydra's that is read."""
_FACT: Final = "config"
_NOTHING: Final = "(none)"


class BestConfig(NamedTuple):
    """A config, ready to be shown.

    Attributes:
        text: the config as YAML.
        differences: of each key whose value is another than before the job's overrides: the key, the value there, and the
            value here; None where it is not known what it was.
        more: how many of them are not shown.
    """

    text: str
    differences: list[tuple[str, str, str]] | None
    more: int


def best_config(run: RunRecord, jobs: Sequence[JobRecord], over: Collection[str] = ()) -> BestConfig | None:
    """Reads the config that some jobs share; of the journal no other config is read.

    Args:
        run: their run.
        jobs: the best job, or the completed jobs of the best setting, of which the first and the last are looked at.
        over: the keys of overrides that the jobs differ in.

    Returns:
        None if there is none on record, and Hydra's own file is not there. What is not the same in both jobs is `(varies)`.
    """
    looked_at = {job.job_num: job for job in (jobs[0], jobs[-1])}
    root, run_id = jobs[0].root, run.run_id
    known = latest_facts(root, run_id, _FACT, looked_at)
    base = known.pop(None, None)
    configs = [known.get(num) for num in looked_at]
    on_record = all(isinstance(config, dict) for config in configs)
    if not on_record:
        configs = [_saved(job, run.facts.get("secret_keys")) for job in looked_at.values()]
    found = [config for config in configs if isinstance(config, dict)]
    if not found:
        return None
    shared = _shared(found, {key.rpartition("@")[0] or key for key in over} if len(jobs) > 1 else ())
    text = yaml_text(shared)
    differences = None if not isinstance(base, dict) else _differences(base, shared, _varies if on_record else _is_open)
    return BestConfig(
        text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…",
        differences and differences[:MAX_DIFFERENCES],
        max(0, len(differences or ()) - MAX_DIFFERENCES),
    )


def _saved(job: JobRecord, secret_keys: Any) -> dict[str, Any] | None:
    """The config that Hydra has saved as the job started, unresolved, without secrets."""
    import yaml  # noqa: PLC0415  most records have the config
    from omegaconf import DictConfig, OmegaConf  # noqa: PLC0415  the same
    from omegaconf.errors import OmegaConfBaseException  # noqa: PLC0415  the same

    from hydra_callback_kit.configs.redaction import Redaction  # noqa: PLC0415  the same
    from hydra_callback_kit.configs.secret_keys import DEFAULT_SECRET_KEYS  # noqa: PLC0415  the same

    if job.output_dir is None:
        return None
    file = Path(job.output_dir, ".hydra", "config.yaml")
    with contextlib.suppress(OSError, ValueError, yaml.YAMLError, OmegaConfBaseException, RecursionError):
        if file.is_file() and file.stat().st_size <= MAX_SAVED_BYTES:
            loaded = OmegaConf.load(file)
            if isinstance(loaded, DictConfig):
                plain = as_json(OmegaConf.to_container(loaded))
                keys = secret_keys if isinstance(secret_keys, list) else DEFAULT_SECRET_KEYS
                redaction = Redaction(keys, os.urandom(16))
                redaction.learn(redaction.secrets_in(plain))
                redacted: dict[str, Any] = redaction.of_value(plain)
                return redacted
    return None


def _shared(configs: Sequence[dict[str, Any]], over: Collection[str], prefix: str = "") -> dict[str, Any]:
    """What all of them have; a value that is not the same in all, or that was averaged over, is `(varies)`."""
    shared: dict[str, Any] = {}
    for key in dict.fromkeys(key for config in configs for key in config):
        values = [config.get(key, VARIES) for config in configs]
        if f"{prefix}{key}" in over:
            shared[key] = VARIES
        elif all(isinstance(value, dict) for value in values):
            shared[key] = _shared(values, over, f"{prefix}{key}.")
        else:
            same = all(_text(value) == _text(values[0]) for value in values)
            shared[key] = values[0] if same else VARIES
    return shared


def _differences(base: dict[str, Any], config: dict[str, Any], is_open: Callable[[Any], bool]) -> list[tuple[str, str, str]]:
    before, now = dotted(base), dotted(config)
    keys = dict.fromkeys((*now, *before))
    found = [(key, _text_in(before, key), _text_in(now, key)) for key in keys if not is_open(now.get(key))]
    return [(key, was, here) for key, was, here in found if was != here]


def _varies(value: Any) -> bool:
    return bool(value == VARIES)


def _is_open(value: Any) -> bool:
    """Whether it cannot be compared: it varies, is as written in a file of Hydra's, or hides a secret there."""
    return isinstance(value, str) and (value == VARIES or "${" in value or is_marked(value))


def _text_in(config: dict[str, Any], key: str) -> str:
    return _text(config[key]) if key in config else _NOTHING


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(as_json(value), ensure_ascii=False)
