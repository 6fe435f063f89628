"""What of this package stands between Hydra and a task function that is profiled, and belongs into no profile."""

import os
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent.parent
_OURS: Final = (
    f"{_PACKAGE / 'launching'}{os.sep}",
    f"{_PACKAGE / 'measure'}{os.sep}",
    str(_PACKAGE / "hooks" / "profiling.py"),
)


def is_machinery(file: str) -> bool:
    """Whether a file is of ours, and no task function calls anything in it.

    Args:
        file: the file of a function.
    """
    return file.startswith(_OURS)
