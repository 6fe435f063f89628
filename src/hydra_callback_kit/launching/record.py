"""What the conductor puts on record: the jobs that it hands to the user's launcher."""

import itertools
from typing import Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.journal.encoder import whole_texts
from hydra_callback_kit.journal.rank import is_worker
from hydra_callback_kit.journal.writer import write_line
from hydra_callback_kit.launching.policy import Batch

AT_HOME: Final = "journal_at_home"
"""The note on a sweep whose jobs may not share its disk: its journal's file, and what the file is called on its disk."""

STARTED_BEFORE: Final = "started_before"
"""The note on a sweep that starts jobs again: by their numbers, how often they were started so far."""

_JOBS_OF_A_LINE: Final = 1000


def record_launched(config: DictConfig, batch: Batch) -> None:
    """Records that jobs are handed to the launcher, and whether they may run where the sweep's disk is not shared.

    Args:
        config: that of `on_multirun_start`.
        batch: the jobs.
    """
    if is_worker():
        return  # rank 0 launches the job that this process works for
    run, redaction = identify_run(config), redaction_of(config)
    elsewhere = {"elsewhere": True} if AT_HOME in notes_of(config) else {}
    numbers = iter(batch)
    while some := list(itertools.islice(numbers, _JOBS_OF_A_LINE)):
        launched = {str(num): whole_texts(redaction.of_overrides(batch[num])) for num in some}
        write_line(run, "jobs_launched", elsewhere, encoded={"launched": launched})
