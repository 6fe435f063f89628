"""Which commands start one process where a job ran as several."""

from pathlib import Path
from typing import Any

import pytest

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.as_one_process import why_not_as_it_was
from hydra_callback_kit.views.commands import Command

RANKS = JobRecord(0, "FAILED", world_size=4, is_rank=True)
STARTS_RANKS = JobRecord(0, "FAILED", world_size=4)
ONE = JobRecord(1, "FAILED")
SUBMITIT = {"launcher_class": "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher"}


@pytest.mark.parametrize(
    ("job", "facts", "num", "word", "said"),
    [
        (RANKS, {}, 0, "hydra.mode=RUN", "once for each rank"),
        (RANKS, {}, 0, "hydra.mode=MULTIRUN", "once for each rank"),
        (RANKS, SUBMITIT, 0, "hydra.mode=RUN", "--launcher"),
        (RANKS, SUBMITIT, 0, "hydra.mode=MULTIRUN", ""),
        (RANKS, {}, 1, "hydra.mode=RUN", ""),
        (RANKS, {}, 2, "hydra.mode=RUN", "once for each rank"),
        (RANKS, {"rank_launcher": ["torchrun"]}, 0, "hydra.mode=RUN", ""),
        (STARTS_RANKS, {}, 0, "hydra.mode=RUN", ""),
        (STARTS_RANKS, {}, 2, "hydra.mode=RUN", ""),
    ],
)
def test_what_is_said(job: JobRecord, facts: dict[str, Any], num: int, word: str, said: str) -> None:
    """Job 2 never started; torchrun's command and a job that starts its ranks itself start all of them."""
    run = RunRecord("a", Path("out"), "MULTIRUN", "FAILED", (job, ONE), facts=facts)
    why = why_not_as_it_was(run, Command((num,), ("python", "app.py", word), Path()))
    assert bool(why) == bool(said)
    assert said in why
    assert not why or why.startswith(f"job {num} ran as 4 ranks, and this command starts one process: ")
