"""The mark beside a journal in a store that says whether it is all there."""

import json
from typing import Final

from hydra_callback_kit.journal.format import JOURNAL_DIR

MARK: Final = f"{JOURNAL_DIR}/upload.json"


def mark(*, is_whole: bool) -> bytes:
    """What it says."""
    return json.dumps({"whole": is_whole}).encode("ascii")


def whole(said: bytes | None) -> bool | None:
    """Whether it says that the journal is all there; None where there is no mark, as of a run that was copied by hand."""
    if said is None:
        return None
    try:
        known = json.loads(said)
    except ValueError:
        return False
    return type(known) is dict and known.get("whole") is True
