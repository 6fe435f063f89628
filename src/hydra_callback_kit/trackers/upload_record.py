"""What the record says of an upload, and what may not be said."""

import re
from collections.abc import Mapping
from typing import Any, Final

from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.journal_lines import latest_facts
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.trackers.credentials import without_credentials
from hydra_callback_kit.trackers.upload import TRACKER
from hydra_callback_kit.trackers.upload_wanted import Wanted


def fact_of(address: str, files: int, size: int, took_s: float, **more: Any) -> dict[str, Any]:
    """The fact of a job or run that was sent."""
    return {
        TRACKER.name: {
            "to": without_credentials(address).rstrip("/"),
            "files": files,
            "bytes": size,
            "seconds": round(took_s, 3),
            **more,
        }
    }


def same_as_before(run: RunIdentity, to: str, written: str) -> str | None:
    """Where a run that goes on went before, if the config says the same as then: `${now:...}` has another answer by now.

    Args:
        run: the run.
        to: where it would go now.
        written: what the config says, in which nothing is resolved.
    """
    if "${" not in written or without_credentials(to) != to:
        return None
    before = latest_facts(run.root, run.run_id, TRACKER.name, ()).get(None)
    if type(before) is dict and before.get("as_written") == written:
        return as_text(before.get("to")).removesuffix(f"/{run.run_id}")
    return None


def wanted_of(run: RunRecord) -> Wanted:
    """What the record says is to be sent; all but checkpoints where it says nothing."""
    fact = run.facts.get(TRACKER.name)
    said: dict[str, Any] = fact if type(fact) is dict else {}
    what, exclude = (
        [as_text(glob) for glob in globs] if type(globs) is list else usual
        for globs, usual in ((said.get("what"), ["**"]), (said.get("exclude"), ["*.ckpt"]))
    )
    return Wanted(what, exclude)


def secrets_in(options: Any) -> list[str]:
    """What fsspec's file systems take as credentials, under whatever names."""
    if not isinstance(options, Mapping):
        return []
    return [
        text
        for name, option in options.items()
        for text in ([option] if isinstance(option, str) and _SECRET.search(str(name)) else secrets_in(option))
    ]


_SECRET: Final = re.compile(r"key|secret|token|password|connection_string|credential", re.IGNORECASE)
