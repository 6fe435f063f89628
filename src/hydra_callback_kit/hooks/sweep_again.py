"""A sweep that goes on: `rerun --launcher` starts the app as the sweep it was, and only what is left of it starts."""

import contextlib
import datetime as dt
from collections.abc import Iterator

from omegaconf import DictConfig

from hydra_callback_kit.configs.given_overrides import task_overrides
from hydra_callback_kit.configs.identity import identify_run, jobs_of_sweep_again
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.plan import planned_jobs
from hydra_callback_kit.configs.sweeping import swept_keys
from hydra_callback_kit.hooks import gates
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.format import CONFIGS, JournalNotFoundError
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
    with _or_nothing_starts(config):
        why = _why_not(config)
    if why:
        gates.refuse(config)
        abort(config, f"The sweep in {identify_run(config).root} does not go on: {why}")


def go_on(config: DictConfig) -> None:
    """Lets only those jobs start that are left, and leaves on record that this process is going to start them.

    Args:
        config: the config of `on_multirun_start`; the start is recorded.
    """
    if "left" not in notes_of(config):
        with _or_nothing_starts(config):
            _go_on(config)


def note_what_was_before(config: DictConfig, record: RunRecord) -> None:
    """Notes on a sweep that goes on how long it has run so far, and since when it goes on.

    Args:
        config: the config of `on_multirun_start`.
        record: what is on record of it.
    """
    notes = notes_of(config)
    notes["took_before_s"] = _took_s(record)
    notes["goes_on_since"] = dt.datetime.now(dt.timezone.utc).isoformat(timespec="microseconds")


@contextlib.contextmanager
def _or_nothing_starts(config: DictConfig) -> Iterator[None]:
    """A sweep of which it cannot be found out what is left would run all of its jobs again."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  whatever it is
        gates.cannot_find_out(config, "rerun --launcher", error)


def _go_on(config: DictConfig) -> None:
    notes, run, record = notes_of(config), identify_run(config), _record(config)
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
    attempts = {num: jobs[num].attempts if num in jobs else 0 for num in numbers}
    write_handed_on(run, attempts, cluster=Slurm().cluster_here() or None)
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
    note_what_was_before(config, record)
    planned = planned_jobs(config)
    count = planned and planned.count
    if record.planned_jobs != count:
        return (
            f"it would have {count or 'any number of'} jobs, and had {record.planned_jobs or 'others'}: their numbers would "
            "be others. Has the config changed since? `rerun` without --launcher runs each job again by itself."
        )
    return ""


def _took_s(record: RunRecord) -> float:
    """How long the sweep has run before; where its process was killed, to the last end of a job."""
    ends = [job.ended_at for job in record.jobs if job.ended_at]
    if record.duration_s is not None or record.started_at is None or not ends:
        return record.duration_s or 0.0
    started, ended = map(dt.datetime.fromisoformat, (record.started_at, max(ends)))
    return max(0.0, (ended - started).total_seconds())


def _record(config: DictConfig) -> RunRecord:
    """What is on record; what nobody knows of is gone, or else `rerun` would not have started this."""
    run = identify_run(config)
    return read_run(run.root, run.run_id, without=CONFIGS, sight=Sight(batch_system=Slurm(), assume_gone=True))
