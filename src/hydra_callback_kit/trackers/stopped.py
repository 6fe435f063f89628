"""What a run has lost waiting for a store in vain, in a file beside its journal: each of its processes knows of it.

Jobs may be processes that know nothing of each other, and each would wait once.
"""

import math
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.identity import RunIdentity

FOR_GOOD: Final = math.inf
"""Nothing is tried any more in this run."""


def lost_s(run: RunIdentity) -> float:
    """The seconds that were lost in it; 0 if none were."""
    try:
        return float(_file(run).read_text("ascii"))
    except (OSError, ValueError):
        return 0.0


def lose(run: RunIdentity, seconds: float) -> None:
    """Adds seconds that were lost. Where nothing can be written, nobody else knows of them."""
    try:
        _file(run).write_text(str(lost_s(run) + seconds), "ascii")
    except OSError:
        return


def begin_again(run: RunIdentity) -> None:
    """A run that is started again tries it again."""
    _file(run).unlink(missing_ok=True)


def _file(run: RunIdentity) -> Path:
    return run.root / JOURNAL_DIR / f"upload-failed.{run.run_id}"
