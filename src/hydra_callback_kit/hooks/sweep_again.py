"""A sweep that goes on: `rerun --launcher` starts the app as the sweep it was, and only what is left of it starts."""

import datetime as dt

from omegaconf import DictConfig

from hydra_callback_kit.configs.given_overrides import task_overrides
from hydra_callback_kit.configs.identity import identify_run, jobs_of_sweep_again
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.plan import planned_jobs
from hydra_callback_kit.configs.sweeping import swept_keys
from hydra_callback_kit.hooks import gates
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.format import JournalNotFoundError
from hydra_callback_kit.journal.handed_on import write_handed_on
from hydra_callback_kit.journal.job_numbers import JobNumbers, joined_numbers
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.launching.in_place import put_in_place
from hydra_callback_kit.launching.leaves_out import LeavesOut, Left

_log = SafeLogger("hydra_callback_kit")


def ask_whether_it_may_go_on(config: DictConfig) -> None:
    """Stops a sweep that cannot go on, before anything of it is recorded.

    Args:
        config: the config of `on_multirun_start`.

    Raises:
        AbortRun: if it still runs, is not on record, or would have other jobs than it had.
    """
    run = identify_run(config)
    why = _why_not(config)
    if why:
        gates.refuse(config)
        abort(config, f"The sweep in {run.root} does not go on: {why}")


def go_on(config: DictConfig) -> None:
    """Lets only those jobs start that are left, and leaves on record that this process is going to start them.

    Args:
        config: the config of `on_multirun_start`; the start is recorded.
    """
    notes = notes_of(config)
    if "left" in notes:
        return
    run, record = identify_run(config), _record(config)
    jobs = {job.job_num: job for job in record.jobs}
    left = Left(
        jobs=jobs,
        named=JobNumbers(jobs_of_sweep_again(config) or ""),
        queued=record.queue.there,
        fixed={override_key(each) for each in task_overrides(config) if not swept_keys([each])},
        chooses=record.planned_jobs is None,
    )
    end = max([*jobs, (record.planned_jobs or 0) - 1]) + 1
    numbers = list(filter(left.holds, range(end)))
    notes["left"] = None if left.chooses else len(numbers)
    notes["took_before_s"] = record.duration_s
    notes["goes_on_since"] = dt.datetime.now(dt.timezone.utc).isoformat(timespec="microseconds")
    write_handed_on(run, {num: jobs[num].attempts if num in jobs else 0 for num in numbers})
    put_in_place(config, LeavesOut(left, lambda why: abort(config, why)))
    named = joined_numbers(numbers, ", ", end if left.chooses else None)
    _log.info("The sweep goes on: of its jobs %s are started.", named or "none")


def _why_not(config: DictConfig) -> str:
    try:
        record = _record(config)
        JobNumbers(jobs_of_sweep_again(config) or "")
    except JournalNotFoundError:
        return f"its record {identify_run(config).run_id} is not there. Start it anew, without hydra.job.id."
    except ValueError as error:
        return f"hydra.job.id names no jobs: {error}."
    if not record.over or (record.planned_jobs is None and record.status == "RUNNING"):
        return "it still runs. Wait for its end, or end what runs."
    planned = planned_jobs(config)
    count = planned and planned.count
    if record.planned_jobs != count:
        return (
            f"it would have {count or 'any number of'} jobs, and had {record.planned_jobs or 'others'}: their numbers would "
            "be others. Has the config changed since? `rerun` without --launcher runs each job again by itself."
        )
    return ""


def _record(config: DictConfig) -> RunRecord:
    """What is on record; what nobody knows of is gone, or else `rerun` would not have started this."""
    run = identify_run(config)
    return read_run(run.root, run.run_id, without=("config",), sight=Sight(batch_system=Slurm(), assume_gone=True))
