"""What jobs do for a sweep whose process has ended: the last of them makes its summaries again.

Under submitit and RQ jobs outlive the sweep's process, and what that has summed up is not all that there is to say. Each job
looks, as it ends, whether that process has ended, which is cheap; and only then whether any other job goes on. Of two that
end at once both may make the summaries: each is put in its place in one step, and says the same.
"""

import contextlib
import functools
import os
from typing import TYPE_CHECKING, Any, Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.error_report import report
from hydra_callback_kit.journal.format import CONFIGS, JOURNAL_DIR
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive, this_process
from hydra_callback_kit.journal.rank import is_worker
from hydra_callback_kit.journal.regular_file import open_regular
from hydra_callback_kit.journal.writer import journal_file, write_line

if TYPE_CHECKING:
    from hydra_callback_kit.hooks.recording import RecordingCallback
    from hydra_callback_kit.journal.life import Sight
    from hydra_callback_kit.journal.records import RunRecord

_FEW: Final = 8
"""Jobs that may be the last: for each of so many Slurm is asked once at most."""

_TAIL: Final = 1 << 16
"""Bytes of the journal's file of the sweep's process in which its end stands, if there is one."""


def jobs_may_outlive(config: DictConfig, run: RunIdentity) -> None:
    """Lets the jobs know which process is their sweep's.

    Args:
        config: the config of `on_multirun_start`.
        run: the sweep.
    """
    notes_of(config)["sweep"] = [*this_process(), journal_file(run).name]


def sweep_starts(config: DictConfig, callback: "RecordingCallback") -> None:
    """Puts on record what makes a callback's summaries again, where jobs, or their ranks, may outlive the run.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
        callback: the callback.
    """
    parameters = callback.summary_parameters() if "sweep" in notes_of(config) else None
    if parameters is not None:
        from hydra_callback_kit.views.summaries import MADE_BY  # noqa: PLC0415  most sweeps need none of it

        run = identify_run(config)
        made_by, by_it = _made_by.setdefault(run, []), {"class": type(callback).__name__, "parameters": parameters}
        if by_it not in made_by:
            made_by.append(by_it)
            write_line(run, "run_facts", {}, encoded=redaction_of(config).encoded({MADE_BY: made_by}))


def job_starts(config: DictConfig, callback: "RecordingCallback") -> None:
    """Notes that a callback hears of a job, whose end hook will be called.

    Args:
        config: the config of `on_job_start`.
        callback: the callback.
    """
    if is_worker():
        return
    notes = notes_of(config)
    notes.setdefault("hears", []).append(id(callback))
    if "sweep" in notes and notes["sweep"][:3] != list(this_process()) and callback.writes_summaries:
        _summarizing[os.getpid(), id(callback)] = callback


def job_ends(config: Any, callback: "RecordingCallback") -> None:
    """Does what comes after the last callback's hook of a job: `after_the_job`, and the summaries. Never raises.

    Args:
        config: the config of `on_job_end`.
        callback: the callback, whose hook is done.
    """
    notes = notes_of(config) if isinstance(config, DictConfig) else {}
    if id(callback) not in notes.get("hears", ()):
        return
    notes["hears"].remove(id(callback))
    if callback.comes_last:
        _coming_last.setdefault((os.getpid(), id(config)), []).append(callback)
    if not notes["hears"]:
        for last in _coming_last.pop((os.getpid(), id(config)), ()):
            try:
                last.after_the_job(config)
            except Exception as error:  # noqa: BLE001  whatever it is, the job goes on
                report(f"{type(last).__name__}.after_the_job", error)
        mine = [key for key in _summarizing if key[0] == os.getpid()] if "sweep" in notes else []
        callbacks = [_summarizing.pop(key) for key in mine]
        try:
            if callbacks and _sweep_has_ended(config) and not _others_go_on(identify_run(config)):
                make_summaries(config, callbacks)
        except Exception as error:  # noqa: BLE001  whatever it is, the job goes on
            report("The job that ended last", error)


def make_summaries(config: DictConfig, callbacks: "list[RecordingCallback]") -> list[str]:
    """Makes the summaries of a run that has ended.

    Args:
        config: that of a job's hook, or one that `configs.notes` was told of the run.
        callbacks: those that make them.

    Returns:
        The classes of those that could not.
    """
    failed: list[str] = []
    notes_of(config)["rerun"] = True  # the end of the run is not this process's to tell
    callbacks.reverse()
    for callback in sorted(callbacks, key=lambda each: each.comes_last):
        if callback.comes_last and not failed:
            summaries_are_made(config)
        try:
            callback.at_the_end(config)
        except Exception as error:  # noqa: BLE001  the others can still be made
            report(f"{type(callback).__name__}.at_the_end", error)
            failed.append(type(callback).__name__)
    if not failed:
        summaries_are_made(config)
    return failed


def summaries_are_made_of(config: DictConfig, run: "RunRecord") -> None:
    """Notes what the summaries that are about to be made are made of, for a sweep whose jobs may outlive it.

    Args:
        config: that of the hook that makes them.
        run: the record as it is read for them.
    """
    if "summaries" in run.facts:
        from hydra_callback_kit.views.summaries import standing  # noqa: PLC0415  as above

        notes_of(config).setdefault("summed_up", standing(run))


def summaries_are_made(config: DictConfig) -> None:
    """Puts on record what the summaries were made of, once they are made.

    Args:
        config: that of the hook that has made them.
    """
    made_of = notes_of(config).pop("summed_up", None)
    if made_of is not None:
        from hydra_callback_kit.views.summaries import MADE_OF  # noqa: PLC0415  as above

        write_line(identify_run(config), "run_facts", {MADE_OF: made_of})


_made_by: Final[dict[RunIdentity, list[dict[str, Any]]]] = {}
"""What makes the summaries of the sweeps that this process has started."""

_coming_last: "Final[dict[tuple[int, int], list[RecordingCallback]]]" = {}
"""The callbacks whose `after_the_job` waits for the others' hooks, by process and identity of the job's config."""

_summarizing: "Final[dict[tuple[int, int], RecordingCallback]]" = {}
"""The callbacks of the jobs that run in this process that make summaries, by process and identity."""


def _sweep_has_ended(config: DictConfig) -> bool:
    """Whether the sweep's process has said so, or is known to be gone; of one killed on another machine nobody knows."""
    host, pid, born, file = notes_of(config)["sweep"]
    # no line of it could be written, or somebody has taken it away
    with contextlib.suppress(OSError), open_regular(identify_run(config).root / JOURNAL_DIR / file) as journal:
        journal.seek(max(0, os.fstat(journal.fileno()).st_size - _TAIL))
        if b'"event":"run_ended"' in journal.read():
            return True
    return is_alive(ProcessIdentity(host, pid, born)) is False


def _others_go_on(run: RunIdentity) -> bool:
    """Whether another job runs. Slurm is asked where the last few cannot be seen: one that was cancelled says no word."""
    from hydra_callback_kit.journal.shared_follower import SharedFollower  # noqa: PLC0415  most sweeps outlive their jobs

    follower = SharedFollower(run.root, run.run_id)
    with contextlib.suppress(OSError):  # what can be read tells
        follower.look(closely=True)
    left = follower.jobs()["RUNNING"]
    if not left or len(left) > _FEW or not any(job.batch for job in left):
        return bool(left)
    from hydra_callback_kit.journal.reader import read_run  # noqa: PLC0415  the same

    return read_run(run.root, run.run_id, without=CONFIGS, sight=asking_slurm()).count("RUNNING") > 0


@functools.lru_cache(maxsize=1)
def asking_slurm() -> "Sight":
    """What can be found out at the end of a run: Slurm is asked for jobs without an end that cannot be seen."""
    from hydra_callback_kit.journal.batch_system import Slurm  # noqa: PLC0415  the same
    from hydra_callback_kit.journal.life import Sight  # noqa: PLC0415  the same

    return Sight(batch_system=Slurm())
