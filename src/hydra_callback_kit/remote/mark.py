"""The mark beside a journal in a store that says whether it is all there."""

import json
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.regular_file import open_regular

NOT_WHOLE: Final = (
    "holds a run that is not whole: its journal is sent when it has ended. Where it has, 'hydra-callback-kit sync' with the "
    "run's own directory sends what is missing"
)

MARK: Final = f"{JOURNAL_DIR}/upload.json"


def mark(*, is_whole: bool) -> bytes:
    """What it says."""
    return json.dumps({"whole": is_whole}).encode("ascii")


def is_half_a_copy(directory: Path) -> bool:
    """Whether a directory of this machine is a copy of a run that is not all there."""
    try:
        with open_regular(directory / MARK) as file:
            return not whole(file.read())
    except OSError:
        return False


def whole(said: bytes | None) -> bool | None:
    """Whether it says that the journal is all there; None where there is no mark, as of a run that was copied by hand."""
    if said is None:
        return None
    try:
        known = json.loads(said)
    except ValueError:
        return False
    return type(known) is dict and known.get("whole") is True
