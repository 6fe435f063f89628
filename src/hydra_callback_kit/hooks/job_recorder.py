"""What the hooks of a job write to the journal: each of these writes what the hook means, once, whoever calls it first."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_job
from hydra_callback_kit.configs.known_secrets import learn_secrets, redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks import counting_failures, running_jobs
from hydra_callback_kit.hooks.job_lines import write_job_line
from hydra_callback_kit.hooks.secret_paths import warn_of_a_secret_in
from hydra_callback_kit.journal.batch_job import batch_job, this_start
from hydra_callback_kit.journal.encoder import whole_text, whole_texts
from hydra_callback_kit.journal.errors import JobError, error_of
from hydra_callback_kit.journal.format import HYDRA_CONFIG, Status
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.kinds import is_pruned
from hydra_callback_kit.journal.rank import export, rank_of_this_process
from hydra_callback_kit.journal.requeue import is_requeue
from hydra_callback_kit.journal.safe_log import SafeLogger

_log = SafeLogger("hydra_callback_kit")


class JobEnd(NamedTuple):
    """How a job ended.

    Attributes:
        job: which job.
        status: `COMPLETED`, `FAILED`, or `INTERRUPTED` by Ctrl-C; `RUNNING` if it was put back into the queue, to run again.
        duration_s: seconds since its start, by a monotonic clock; None if the start was not recorded.
        error: why it did not complete; None if it did, or runs again.
        returned: what it returned, as it is on record; None if it did not complete.
        reported: the fact that sums up what it reported, as it is on record; empty if it reported nothing.
    """

    job: JobIdentity
    status: Status
    duration_s: float | None
    error: JobError | None
    returned: Any = None
    reported: Mapping[str, Any] = MappingProxyType({})


def record_job_start(config: DictConfig) -> JobIdentity:
    """Records that a job starts.

    Args:
        config: the config of `on_job_start`.

    Returns:
        The job.
    """
    job = identify_job(config)
    notes = notes_of(config)
    if "job_started_s" not in notes:
        notes["job_started_s"] = time.monotonic()
        running_jobs.job_runs(config, job.run.run_id)
        counting_failures.job_runs(config, job)
        if job.rank:
            rank = rank_of_this_process()
            write_job_line(config, "job_started", {"world_size": rank and rank.size})
            return job
        export(job)
        if "journal_at_home" in notes:
            from hydra_callback_kit.launching.lines_home import keep_lines  # noqa: PLC0415  most jobs share the sweep's disk

            keep_lines(config, job)
        number = _attempt_number(job, notes.get("started_before", {}), knows_all=notes.get("resumes", False))
        notes.update(number)
        warn_of_a_secret_in(config, job.output_dir, "hydra.sweep.subdir" if job.run.mode == "MULTIRUN" else "hydra.run.dir")
        write_job_line(
            config,
            "job_started",
            {
                "job_id": job.job_id,
                **({"rerun": True} if job.run.rerun else {}),
                **number,
                **_surroundings(),
            },
            {
                "job_name": whole_text(job.job_name),
                "overrides": whole_texts(job.overrides),
                "output_dir": whole_text(_below(job.run, job.output_dir)),
            },
        )
    return job


def _surroundings() -> dict[str, Any]:
    """Of how many ranks the job is one, and the batch system's job that it is in."""
    rank, batch = rank_of_this_process(), batch_job()
    return {
        **({} if rank is None else {"world_size": rank.size}),
        **({} if batch is None else {"batch": batch.facts()}),
    }


def _attempt_number(job: JobIdentity, started_before: Mapping[int, int], *, knows_all: bool) -> dict[str, int]:
    """The last attempt counts, and the clocks of two machines may differ: one that follows others says so."""
    start, before = this_start(), started_before.get(job.job_num, 0)
    is_known = not job.run.rerun and (knows_all or not job.run.goes_on)
    if is_known and (start is None or not any(number > 0 for number in start.times)):
        return {"attempt_number": before + 1} if before else {}
    from hydra_callback_kit.journal.journal_lines import attempts_at  # noqa: PLC0415  most jobs are started once

    return {"attempt_number": attempts_at(job.run.root, job.run.run_id, job.job_num, but=job.attempt) + 1}


def record_job_end(config: DictConfig, job_return: JobReturn) -> None:
    """Records how a job ended; `how_it_ended` knows it from then on.

    Args:
        config: the config of `on_job_end`.
        job_return: what Hydra says of the job; its value is read without raising.
    """
    job = identify_job(config)
    notes = notes_of(config)
    if "job_ended" not in notes:
        ended_s = running_jobs.job_is_over(config)
        started_s = notes.get("job_started_s")
        duration_s = None if started_s is None else ended_s - started_s
        if not job.rank:
            export(None)
        value = job_return._return_value  # noqa: SLF001  `return_value` raises for a failed job and writes to stderr
        status = _status(job_return, value)
        _learn_what_the_job_has_set(config, job_return.cfg)
        facts = {"status": status, "duration_s": duration_s}
        returned, error, reported = None, None, _reported(config)
        if status == "RUNNING":
            write_job_line(config, "job_requeued", {"requeued": True})
        elif status != "COMPLETED":
            error = _error(config, value) if issubclass(type(value), BaseException) else None
            pruned = {"pruned": True} if error is not None and is_pruned(error.kinds) else {}
            write_job_line(config, "job_ended", {**facts, "error": error, **pruned}, reported)
        elif job.rank:  # what rank 0 returns is the job's value
            write_job_line(config, "job_ended", facts)
        else:
            returned = redaction_of(config).encoded({"": value})[""]
            write_job_line(config, "job_ended", facts, {"return_value": returned, **reported})
        notes["job_ended"] = JobEnd(job, status, duration_s, error, returned, reported)
        counting_failures.job_is_over(config, job, status)
        if "kept_lines" in notes:
            from hydra_callback_kit.launching.lines_home import ride_on  # noqa: PLC0415  as above

            ride_on(config, job_return)


def _reported(config: DictConfig) -> dict[str, Any]:
    """What sums up the metrics that the job has reported."""
    if "reports" not in notes_of(config):
        return {}
    from hydra_callback_kit.hooks.metric_recorder import end_of_metrics  # noqa: PLC0415  most jobs report none

    return end_of_metrics(config)


def how_it_ended(config: DictConfig) -> JobEnd:
    """How a job ended, once that is recorded.

    Args:
        config: the config of `on_job_end`.
    """
    end: JobEnd = notes_of(config)["job_ended"]
    return end


def record_job_aborted(config: DictConfig, aborted: BaseException) -> None:
    """Records that a callback stopped a job before its task function ran; Hydra 1.3 calls no end hook for it.

    Args:
        config: the config of `on_job_start`.
        aborted: what the callback is about to raise.
    """
    job = record_job_start(config)
    notes = notes_of(config)
    if "job_ended" in notes:
        return
    duration_s = running_jobs.job_is_over(config) - notes["job_started_s"]
    end = JobEnd(job, "FAILED", duration_s, _error(config, aborted)._replace(traceback=""))
    write_job_line(config, "job_ended", {"status": end.status, "duration_s": duration_s, "error": end.error})
    notes["job_ended"] = end
    counting_failures.job_is_over(config, job, end.status)


def record_job_killed(config: DictConfig, error: BaseException, where: Iterable[str]) -> None:
    """Records that the process of a job is killed because it took too long; called just before, from another thread.

    Args:
        config: the config of `on_job_start`.
        error: what it is killed for.
        where: the lines of the traceback of its task function.
    """
    notes = notes_of(config)
    if "job_ended" in notes:
        return
    job = identify_job(config)
    duration_s = running_jobs.job_is_over(config) - notes["job_started_s"]
    text = redaction_of(config).of_text("".join(where))
    end = JobEnd(job, _status_by(error), duration_s, _error(config, error)._replace(traceback=text))
    notes["job_ended"] = end
    facts = {"status": end.status, "duration_s": duration_s, "error": end.error, "killed_by": "time_limit_callback"}
    write_job_line(config, "job_ended", facts)
    counting_failures.job_is_over(config, job, end.status)


def record_job_facts(config: DictConfig, facts: Mapping[str, Any], own: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Adds facts to a job's record.

    Args:
        config: the config of `on_job_start` or `on_job_end`.
        facts: any values by name; secrets in them are redacted.
        own: what this package says of itself, in which there are none.
    """
    write_job_line(config, "job_facts", own, redaction_of(config).encoded(facts))


def record_job_config(config: DictConfig, task_config: Any = None) -> None:
    """Adds a job's config to its record, as the facts `config` and, if it has such keys, `config_as_written`.

    At the end of the job it is recorded again if the task function has asked a resolver of the app's for a value that the
    resolver keeps: now that is known.

    Args:
        config: the config of `on_job_start` or `on_job_end`.
        task_config: the config that the task function got, at the end of the job.
    """
    from hydra_callback_kit.configs.app_config import app_config, take_over_answers  # noqa: PLC0415  not always wanted

    notes = notes_of(config)
    left_before: tuple[str, ...] | None = notes.get("config_as_written")
    if task_config is not None:
        if not left_before:
            return  # nothing was left to be known, or the start was not recorded
        take_over_answers(config, task_config)
    elif left_before is not None:
        return
    values, left = app_config(config)
    notes["config_as_written"] = left
    if left != left_before:
        as_written = {"config_as_written": left} if left or left_before else {}
        write_job_line(config, "job_facts", {"config": values, **as_written})


def record_hydra_config(config: DictConfig) -> None:
    """Adds a job's `hydra` node to its record.

    Args:
        config: the config of `on_job_start`.
    """
    from hydra_callback_kit.configs.app_config import hydra_config  # noqa: PLC0415  as above

    write_job_line(config, "job_facts", {HYDRA_CONFIG: hydra_config(config)})


def _error(config: DictConfig, exception: BaseException) -> JobError:
    return error_of(exception, redaction_of(config).of_text)


def _learn_what_the_job_has_set(config: DictConfig, task_config: Any) -> None:
    """A secret is what it was when the job started, and what it is now."""
    try:
        learn_secrets(task_config, redaction_of(config))
    except Exception as error:  # noqa: BLE001  whatever the task function has made of its config, its end goes on record
        _log.debug("What the job has made of its config cannot be read: %r", error)


def _status(job_return: JobReturn, value: Any) -> Status:
    if job_return.status is JobStatus.COMPLETED:
        return "COMPLETED"
    if is_requeue(value):
        return "RUNNING"
    return _status_by(value)


def _status_by(error: Any) -> Status:
    """That of a job which ended by an exception: by Ctrl-C, or by a time limit that is to count like it."""
    kind = type(error)
    interrupted = issubclass(kind, TimeoutError) and getattr(error, "interrupts", None) is True
    return "INTERRUPTED" if interrupted or issubclass(kind, KeyboardInterrupt) else "FAILED"


def _below(run: RunIdentity, directory: Path) -> str:
    """Relative to the run's root where it can be, so that a sweep that was moved still finds its jobs."""
    return (directory.relative_to(run.root) if directory.is_relative_to(run.root) else directory).as_posix()
