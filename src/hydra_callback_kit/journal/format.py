"""What the journal's writer and its readers agree on: where it lies, which version its lines have, and their words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

SCHEMA_VERSION: Final = 1
JOURNAL_DIR: Final = ".callbacks"
GATHERED: Final = "gathered-"
"""What comes after the run in the name of the file that those of its processes have become, see `gathering`."""
MAX_LINE: Final = 1 << 24
"""Bytes of a line, its end included. What would make a line longer is not written, and a longer line is not read."""

HYDRA_CONFIG: Final = "hydra_config"
"""The fact of a job that holds its `hydra` node."""
CONFIGS: Final = ("config", HYDRA_CONFIG)
"""The facts of a job that are most of a record, where they are on record."""
CAPTURED_OUTPUT: Final = "captured_output"
"""The fact of a job or of a rank that holds the last lines of what it wrote, and says in which files all of it is."""

Mode = Literal["RUN", "MULTIRUN"]
Status = Literal["COMPLETED", "FAILED", "INTERRUPTED", "RUNNING"]


class JournalNotFoundError(FileNotFoundError):
    """There is no journal, or no such run in it, where one was looked for.

    Attributes:
        root: the directory that was looked into.
        known: the ids of the runs that are there.
    """

    def __init__(self, root: Path, known: Sequence[str] = ()) -> None:
        why = f"it holds {', '.join(known)}" if known else f"there is no journal in its {JOURNAL_DIR} directory"
        super().__init__(f"{root} holds no such run recorded by hydra-callback-kit ({why})")
        self.root = root
        self.known = tuple(known)

    def __reduce__(self) -> tuple[type["JournalNotFoundError"], tuple[Path, tuple[str, ...]]]:
        """Workers send it home."""
        return type(self), (self.root, self.known)
