"""Whether the keys that do not matter to a sweep that goes on are keys of its jobs' configs."""

import itertools
from collections.abc import Sequence

from omegaconf import DictConfig

from hydra_callback_kit.configs.asked import AskedConfigs
from hydra_callback_kit.configs.sweep_jobs import sweep_jobs
from hydra_callback_kit.journal.asked import leaves_out


def mistake_in(ignored: Sequence[str], config: DictConfig) -> str:
    """Says which of the keys is none: it would leave out nothing, and all jobs would be run again.

    Args:
        ignored: the keys.
        config: the config of `on_multirun_start`.

    Returns:
        `names 'devise', and the config has no such key. Did you mean device?`; empty where all are there.
    """
    if not ignored:
        return ""
    configs, jobs = AskedConfigs(config), itertools.chain([[]], sweep_jobs(config) or ())
    known: set[str] = set()
    missing = set(ignored)
    while missing and (overrides := next(jobs, None)) is not None:
        asked = configs.asked(overrides)
        known.update(configs.bases[asked.base], asked.differs)
        missing = {name for name in missing if not any(map(leaves_out({name}), known))}
    name = next((name for name in ignored if name in missing), None)
    if name is None:
        return ""
    import difflib  # noqa: PLC0415  only who mistyped needs it

    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {nearest[0]}?" if nearest else f"There are {', '.join(sorted(known)[:10])}."
    return f"names {name!r}, and the config has no such key. {hint}"
