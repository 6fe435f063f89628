"""Jobs of another run become jobs of this one: their lines are copied, and say where they are from."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.encoder import whole_text
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.journal_lines import lines_with
from hydra_callback_kit.journal.writer import append

FACT: Final = "taken_over"
"""What the fact is called that says which directory a job is from."""


def take_over(root: Path, run_id: str, numbers: Mapping[int, int], run: RunIdentity) -> None:
    """Copies what is on record of jobs into the journal of another run.

    Their output directories stay where they are.

    Args:
        root: where the journal lies that they are on record in.
        run_id: their run.
        numbers: their numbers there, and here.
        run: the run that they become jobs of.
    """
    for line in lines_with(root, run_id, '"job":'):
        if line.get("job") in numbers:
            copied = _of_another_run(line, root, numbers, run)
            with contextlib.suppress(ValueError):  # a stranger's line holds a number that JSON has not
                append(run, json.dumps(copied, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n")


def _of_another_run(line: Mapping[str, Any], root: Path, numbers: Mapping[int, int], run: RunIdentity) -> dict[str, Any]:
    facts = dict(line["facts"])
    directory = facts.get("output_dir")
    if isinstance(directory, str):
        facts["output_dir"] = (root / directory).as_posix()
    if line["event"] == "job_started" and FACT not in facts:  # what was taken over before is from where it was
        facts[FACT] = whole_text(str(root))
    return {**line, "run": run.run_id, "job": numbers[line["job"]], "facts": facts}
