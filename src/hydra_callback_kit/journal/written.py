"""What callbacks of this package, and trackers, have written in the directories of a run and its jobs: it is not deleted."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from hydra_callback_kit.journal import metric_points
from hydra_callback_kit.journal.format import CAPTURED_OUTPUT
from hydra_callback_kit.journal.journal_lines import lines_with
from hydra_callback_kit.journal.values import as_text

USUAL: Final = (metric_points.NAME, "resources*.csv", "tensorboard", "wandb", "mlruns")
"""Globs for the names that it usually has; what has another one is on record."""

FILES: Final = "files"
"""The fact that names files: of a run those that its own process wrote, of a job those that lie in its directory."""

_TENSORBOARD: Final = "tensorboard"


def names_in(facts: Mapping[str, Any]) -> set[str]:
    """The names of files and directories that some facts of a run, a job or a rank tell of; a journal may be anybody's.

    Args:
        facts: as they stand in a line of the journal.
    """
    files, tensorboard, captured = (facts.get(name) for name in (FILES, _TENSORBOARD, CAPTURED_OUTPUT))
    output = captured.get("files") if isinstance(captured, dict) else None
    names = {str(name) for name in (files if isinstance(files, dict) else ())}
    names |= {PurePosixPath(name).name for name in (output if isinstance(output, dict) else ())}
    return names | ({as_text(tensorboard.get("directory"))} if isinstance(tensorboard, dict) else set())


def written_in(root: Path, run_id: str) -> dict[int | None, set[str]]:
    """The same of all that a run has on record, by the job's number; that of the run itself under None.

    Args:
        root: the directory that holds the journal.
        run_id: the run.
    """
    found: dict[int | None, set[str]] = {}
    for line in lines_with(root, run_id, ""):
        found.setdefault(line.get("job"), set()).update(names_in(line["facts"]))
    return found
