"""What callbacks call in their hooks: each of these writes what the hook means to the journal, once.

Several callbacks are called for the same event. Whichever comes first writes the line; a note on the config tells
the others that it is written. So any callback may be used alone, and no order between them matters.
"""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import hydra
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from hydra_callback_kit.configs.given_overrides import are_from_python, hydra_overrides, task_overrides
from hydra_callback_kit.configs.identity import identify_job, identify_run, job_name
from hydra_callback_kit.configs.known_secrets import learn_secrets, redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.secret_keys import SecretKeys
from hydra_callback_kit.hooks import running_jobs
from hydra_callback_kit.hooks.secret_paths import warn_of_a_secret_in, warn_of_secrets_in_subdirectories
from hydra_callback_kit.journal.command_line import command_line, other_arguments
from hydra_callback_kit.journal.encoder import whole_text, whole_texts
from hydra_callback_kit.journal.errors import JobError, error_of
from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.journal.writer import forget, write_line

if TYPE_CHECKING:
    from hydra_callback_kit.configs.plan import Plan


_log = SafeLogger("hydra_callback_kit")


class JobEnd(NamedTuple):
    """How a job ended.

    Attributes:
        job: which job.
        status: `COMPLETED`, `FAILED`, or `INTERRUPTED` by Ctrl-C.
        duration_s: seconds since its start, by a monotonic clock; None if the start was not recorded.
        error: why it did not complete; None if it did.
        returned: what it returned, as it is on record; None if it did not complete.
    """

    job: JobIdentity
    status: Status
    duration_s: float | None
    error: JobError | None
    returned: Any = None


def do_not_record(config: DictConfig) -> None:
    """Says that a run is not to be recorded: it will not start, and its directory may be another run's.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
    """
    notes = notes_of(config)
    notes["unrecorded"] = True
    if "run_started_s" in notes:
        forget(identify_run(config))


def record_run_start(config: DictConfig) -> None:
    """Records that a run or a sweep starts.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
    """
    run = identify_run(config)
    notes = notes_of(config)
    if not _is_recorded(config, run) or "run_started_s" in notes:
        return
    notes["run_started_s"] = time.monotonic()
    notes["run_pid"] = os.getpid()
    redaction = redaction_of(config)
    planned = _planned(config) if run.mode == "MULTIRUN" else None
    if planned:
        redaction.learn(redaction.secrets_in_overrides(planned.overrides))
    directions = _directions(config) if run.mode == "MULTIRUN" else []
    hydra_config = config.hydra  # to look a key up takes a while
    runtime, choices = hydra_config.runtime, hydra_config.runtime.choices
    given, given_to_hydra, command = task_overrides(config), hydra_overrides(config), command_line()
    if run.mode == "MULTIRUN":
        warn_of_secrets_in_subdirectories(config)
    warn_of_a_secret_in(config, run.root, "hydra.sweep.dir" if run.mode == "MULTIRUN" else "hydra.run.dir")
    others = other_arguments(command.arguments, sys.argv[1:], {*given, *given_to_hydra})
    write_line(
        run,
        "run_started",
        {
            "mode": run.mode,
            "config_name": hydra_config.job.config_name,
            "launcher": choices.get("hydra/launcher"),
            "sweeper": choices.get("hydra/sweeper"),
            "planned_jobs": planned and planned.count,
            **({"directions": directions} if directions else {}),
            **({"secret_keys": redaction.keys.words} if redaction.keys.words != SecretKeys().words else {}),
            "hydra_version": hydra.__version__,
            "python_version": ".".join(map(str, sys.version_info[:3])),
            **({"from_python": True} if are_from_python(config) else {}),
        },
        encoded={
            "root": whole_text(str(run.root)),
            "cwd": whole_text(runtime.cwd),
            "job_name": whole_text(redaction.of_text(job_name(config))),
            "program": whole_texts(redaction.of_command(command.program)),
            "command": whole_texts(redaction.of_command(command.words)),
            "other_arguments": whole_texts(redaction.of_command(others)),
            "overrides": whole_texts(redaction.of_overrides(given)),
            "hydra_overrides": whole_texts(redaction.of_overrides(given_to_hydra)),
            **({"planned_overrides": whole_texts(redaction.of_overrides(planned.overrides))} if planned else {}),
        },
    )


_last_job_ended_s: list[float] = []
"""When a job has last ended in this process, by a monotonic clock."""


def record_run_end(config: DictConfig, *, late: bool = False) -> None:
    """Records that a run or a sweep has ended.

    Args:
        config: the config of `on_run_end` or `on_multirun_end`.
        late: whether it is known only now, that the process ends or goes on with something else; then it ended with the
            last job of this process, if there was one.
    """
    run = identify_run(config)
    notes = notes_of(config)
    if not _is_recorded(config, run) or "run_ended" in notes or notes.get("run_pid", os.getpid()) != os.getpid():
        return
    notes["run_ended"] = True
    running_jobs.run_is_over(run.run_id)
    started_s = notes.get("run_started_s")
    ended_s = time.monotonic()
    if late and _last_job_ended_s and started_s is not None and _last_job_ended_s[0] > started_s:
        ended_s = _last_job_ended_s[0]
    facts = {} if started_s is None else {"duration_s": ended_s - started_s}
    write_line(run, "run_ended", facts)


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
        warn_of_a_secret_in(config, job.output_dir, "hydra.sweep.subdir" if job.run.mode == "MULTIRUN" else "hydra.run.dir")
        write_line(
            job.run,
            "job_started",
            {"job_id": job.job_id, **({"rerun": True} if job.run.rerun else {}), **_attempt_number(job)},
            job,
            {
                "job_name": whole_text(job.job_name),
                "overrides": whole_texts(job.overrides),
                "output_dir": whole_text(_below(job.run, job.output_dir)),
            },
        )
    return job


def _attempt_number(job: JobIdentity) -> dict[str, int]:
    """The last attempt counts, and the clocks of two machines may differ: one that follows others says so."""
    if not job.run.rerun and os.environ.get("SLURM_RESTART_COUNT", "0") == "0":
        return {}
    from hydra_callback_kit.journal.reader import attempts_at  # noqa: PLC0415  most jobs are started once

    return {"attempt_number": attempts_at(job.run.root, job.run.run_id, job.job_num) + 1}


def record_job_end(config: DictConfig, job_return: JobReturn) -> None:
    """Records how a job ended; `how_it_ended` knows it from then on.

    Args:
        config: the config of `on_job_end`.
        job_return: what Hydra says of the job; its value is read without raising.
    """
    job = identify_job(config)
    notes = notes_of(config)
    if "job_ended" not in notes:
        running_jobs.job_is_over(config)
        started_s = notes.get("job_started_s")
        _last_job_ended_s[:] = [time.monotonic()]
        duration_s = None if started_s is None else _last_job_ended_s[0] - started_s
        value = job_return._return_value  # noqa: SLF001  `return_value` raises for a failed job and writes to stderr
        status = _status(job_return, value)
        _learn_what_the_job_has_set(config, job_return.cfg)
        facts = {"status": status, "duration_s": duration_s}
        if status == "COMPLETED":
            returned, error = redaction_of(config).encoded({"": value})[""], None
            write_line(job.run, "job_ended", facts, job, {"return_value": returned})
        else:
            returned = None
            error = _error(config, value) if issubclass(type(value), BaseException) else None
            write_line(job.run, "job_ended", {**facts, "error": error}, job)
        notes["job_ended"] = JobEnd(job, status, duration_s, error, returned)


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
    running_jobs.job_is_over(config)
    duration_s = time.monotonic() - notes["job_started_s"]
    end = JobEnd(job, "FAILED", duration_s, _error(config, aborted)._replace(traceback=""))
    write_line(job.run, "job_ended", {"status": end.status, "duration_s": duration_s, "error": end.error}, job)
    notes["job_ended"] = end


def record_run_facts(config: DictConfig, facts: Mapping[str, Any]) -> None:
    """Adds facts to a run's record; a process that only runs one of its jobs again has none to add.

    Args:
        config: the config of any hook.
        facts: any values by name; secrets in them are redacted.
    """
    run = identify_run(config)
    if _is_recorded(config, run):
        write_line(run, "run_facts", {}, encoded=redaction_of(config).encoded(facts))


def record_job_facts(config: DictConfig, facts: Mapping[str, Any], own: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Adds facts to a job's record.

    Args:
        config: the config of `on_job_start` or `on_job_end`.
        facts: any values by name; secrets in them are redacted.
        own: what this package says of itself, in which there are none.
    """
    job = identify_job(config)
    write_line(job.run, "job_facts", own, job, redaction_of(config).encoded(facts))


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
        job = identify_job(config)
        write_line(
            job.run, "job_facts", {"config": values, **({"config_as_written": left} if left or left_before else {})}, job
        )


def _error(config: DictConfig, exception: BaseException) -> JobError:
    return error_of(exception, redaction_of(config).of_text)


def _learn_what_the_job_has_set(config: DictConfig, task_config: Any) -> None:
    """A secret is what it was when the job started, and what it is now."""
    try:
        learn_secrets(task_config, redaction_of(config))
    except Exception as error:  # noqa: BLE001  whatever the task function has made of its config, its end goes on record
        _log.debug("What the job has made of its config cannot be read: %r", error)


def _is_recorded(config: DictConfig, run: RunIdentity) -> bool:
    """Of a run that one of its jobs is run again for, start and end are not this process's to tell."""
    return not run.rerun and "unrecorded" not in notes_of(config)


def _planned(config: DictConfig) -> "Plan | None":
    from hydra_callback_kit.configs.plan import planned_jobs  # noqa: PLC0415  a single run has no plan

    return planned_jobs(config)


def _directions(config: DictConfig) -> list[str]:
    from hydra_callback_kit.configs.objectives import sweep_directions  # noqa: PLC0415  a single run has none

    return sweep_directions(config)


def _status(job_return: JobReturn, value: Any) -> Status:
    if job_return.status is JobStatus.COMPLETED:
        return "COMPLETED"
    return "INTERRUPTED" if issubclass(type(value), KeyboardInterrupt) else "FAILED"


def _below(run: RunIdentity, directory: Path) -> str:
    """Relative to the run's root where it can be, so that a sweep that was moved still finds its jobs."""
    return (directory.relative_to(run.root) if directory.is_relative_to(run.root) else directory).as_posix()
