"""The run that a start of the app belongs to without having begun it: another rank's, or the one that it starts again."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.journal.batch_job import Start, batch_job, this_start
from hydra_callback_kit.journal.command_line import command_line
from hydra_callback_kit.journal.format import CONFIGS, JOURNAL_DIR, Mode
from hydra_callback_kit.journal.life import Sight, may_outlive
from hydra_callback_kit.journal.rank import JOB_VARIABLE, is_by_itself, rank_of_this_process

if TYPE_CHECKING:
    from hydra_callback_kit.journal.meeting import Meeting
    from hydra_callback_kit.journal.records import RunRecord

WAIT_S: Final = 5.0
"""How long a rank waits, once, for the run of rank 0: ranks wait for each other anyway before they train."""


def run_of_rank_0(root: Path, *, wait: bool = False) -> "Meeting | None":
    """Tells which run the calling process works for, if it is a rank of another's job.

    A process that looks like a rank of a job whose rank 0 runs another command is a job by itself from then on.

    Args:
        root: where the run would be if the process were a job by itself.
        wait: whether to wait for it a while.

    Returns:
        None if it is not there, or the process is no such rank.
    """
    rank = rank_of_this_process()
    if rank is None or rank.number == 0:
        return None
    from hydra_callback_kit.journal import meeting  # noqa: PLC0415  most jobs are one process

    exported = meeting.exported_by_the_parent() if JOB_VARIABLE in os.environ else None
    if exported is not None:
        return exported
    wait_s = WAIT_S if wait and os.getpid() not in _have_waited else 0.0
    _have_waited.add(os.getpid())
    try:
        return meeting.find_note(root, rank, sys.orig_argv[1:], wait_s)
    except meeting.OfAnotherKindError:
        is_by_itself()
        return None


_have_waited: Final[set[int]] = set()


def run_that_goes_on(config: DictConfig, root: Path, mode: Mode) -> str | None:
    """Tells which run is started again, by a batch system that requeues its job, or by torchrun.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
        root: the run's root.
        mode: whether it is a sweep.

    Returns:
        The id of the latest run in `root`, if the same start of the same command has begun it, it has not completed, and
        none of its jobs goes on without the process that is started again. None otherwise, which is nearly always, and
        soon known.
    """
    start = this_start()
    if start is None or not any(number > 0 for number in start.times) or not (root / JOURNAL_DIR).is_dir():
        return None
    from hydra_callback_kit.journal.batch_system import Slurm  # noqa: PLC0415  few starts are restarts
    from hydra_callback_kit.journal.reader import read_run  # noqa: PLC0415  the same

    try:
        before = read_run(root, without=CONFIGS, sight=Sight(batch_system=Slurm()))
    except OSError:
        return None
    words = list(redaction_of(config).of_command(command_line().words))
    same = before.facts.get("command") == words and before.mode == mode
    return before.run_id if same and _is_restarted_by(start, before) and not goes_on_elsewhere(before) else None


def goes_on_elsewhere(run: "RunRecord") -> bool:
    """Whether jobs of a sweep run, or may wait in a queue, that do not end with the sweep's process, as under submitit.

    Args:
        run: a run whose process is started again.
    """
    going_on = run.count("RUNNING") or len(run.jobs) < (run.planned_jobs or 0)
    return run.mode == "MULTIRUN" and bool(going_on) and may_outlive(run.facts)


def _is_restarted_by(start: Start, before: "RunRecord") -> bool:
    said = before.facts.get("start")
    if not isinstance(said, dict) or not isinstance(said.get("times"), list) or before.status == "COMPLETED":
        return False
    times = tuple(number for number in said["times"] if type(number) is int)
    earlier = Start(str(said.get("by")), times)
    if not start.is_another_of(earlier):
        return False
    return before.status != "RUNNING" or start.follows_for_certain(earlier)


def start_facts() -> dict[str, object]:
    """What a run's record says of its start: the batch system's job, and what tells a later start of the same."""
    start, batch = this_start(), batch_job()
    return {
        **({} if start is None else {"start": start._asdict()}),
        **({} if batch is None else {"batch": batch.facts()}),
    }
