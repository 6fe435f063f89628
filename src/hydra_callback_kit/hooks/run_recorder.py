"""What a run's hooks write to the journal: each of these writes what the hook means, once.

Several callbacks are called for the same event. Whichever comes first writes the line; a note on the config tells
the others that it is written. So any callback may be used alone, and no order between them matters.
"""

import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig

from hydra_callback_kit.configs.given_overrides import are_from_python, hydra_overrides, task_overrides
from hydra_callback_kit.configs.identity import identify_run, job_name
from hydra_callback_kit.configs.joining import start_facts
from hydra_callback_kit.configs.known_secrets import redaction_of, tell_the_jobs
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.secret_keys import SecretKeys
from hydra_callback_kit.hooks import running_jobs
from hydra_callback_kit.hooks.after_the_sweep import jobs_may_outlive
from hydra_callback_kit.hooks.secret_paths import warn_of_a_secret_in, warn_of_secrets_in_subdirectories
from hydra_callback_kit.journal.command_line import CommandLine, command_line, other_arguments
from hydra_callback_kit.journal.encoder import whole_text, whole_texts
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.life import may_outlive
from hydra_callback_kit.journal.rank import is_worker, rank_of_this_process
from hydra_callback_kit.journal.writer import forget, write_line

if TYPE_CHECKING:
    from hydra_callback_kit.configs.plan import Plan


def do_not_record(config: DictConfig) -> None:
    """Says that a run is not to be recorded: it will not start, and its directory may be another run's.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
    """
    notes = notes_of(config)
    notes["unrecorded"] = True
    if "run_started_s" in notes:
        _tell_the_ranks(config, starts=False)
        forget(identify_run(config))


def record_run_start(config: DictConfig) -> None:
    """Records that a run or a sweep starts.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`.
    """
    run = identify_run(config)
    notes = notes_of(config)
    if "unrecorded" not in notes and "ranks_are_told" not in notes:
        notes["ranks_are_told"] = True
        _tell_the_ranks(config, starts=True)
    if not _is_recorded(config, run) or "run_started_s" in notes:
        return
    notes["run_started_s"] = time.monotonic()
    notes["run_pid"] = os.getpid()
    redaction = redaction_of(config)
    planned = _planned(config) if run.mode == "MULTIRUN" else None
    if planned:
        redaction.learn(redaction.secrets_in_overrides(planned.overrides))
    tell_the_jobs(config)
    hydra_config = config.hydra  # to look a key up takes a while
    runtime, choices = hydra_config.runtime, hydra_config.runtime.choices
    launched_by = {"launcher": choices.get("hydra/launcher")}
    if run.mode == "MULTIRUN":
        launched_by["launcher_class"] = _launcher_class(config)
    if (run.mode == "MULTIRUN" and may_outlive(launched_by)) or rank_of_this_process() is not None:
        jobs_may_outlive(config, run)
    if run.goes_on:  # how it was begun stays as it was; where its process is now tells whether it lives
        now = {"start": None, "batch": None, **start_facts()}
        write_line(run, "run_started", {**launched_by, "planned_jobs": planned and planned.count, **now})
        return
    directions, expected = _search(config) if run.mode == "MULTIRUN" else ([], None)
    given, given_to_hydra, command = task_overrides(config), hydra_overrides(config), command_line()
    if run.mode == "MULTIRUN":
        warn_of_secrets_in_subdirectories(config)
    warn_of_a_secret_in(config, run.root, "hydra.sweep.dir" if run.mode == "MULTIRUN" else "hydra.run.dir")
    launcher = _rank_launcher(command)
    others = other_arguments(command.arguments, sys.argv[1:], {*given, *given_to_hydra})
    write_line(
        run,
        "run_started",
        {
            "mode": run.mode,
            "config_name": hydra_config.job.config_name,
            **launched_by,
            "sweeper": choices.get("hydra/sweeper"),
            "planned_jobs": planned and planned.count,
            **({"directions": directions} if directions else {}),
            **({"expected_jobs": expected} if expected is not None and planned is None else {}),
            **({"secret_keys": redaction.keys.words} if redaction.keys.words != SecretKeys().words else {}),
            "hydra_version": hydra.__version__,
            "python_version": ".".join(map(str, sys.version_info[:3])),
            **({"from_python": True} if are_from_python(config) else {}),
            **start_facts(),
        },
        encoded={
            "root": whole_text(str(run.root)),
            "cwd": whole_text(runtime.cwd),
            "job_name": whole_text(redaction.of_text(job_name(config))),
            "program": whole_texts(redaction.of_command(command.program)),
            **({"rank_launcher": whole_texts(redaction.of_command(launcher))} if launcher else {}),
            "command": whole_texts(redaction.of_command(command.words)),
            "other_arguments": whole_texts(redaction.of_command(others)),
            "overrides": whole_texts(redaction.of_overrides(given)),
            "hydra_overrides": whole_texts(redaction.of_overrides(given_to_hydra)),
            **({"planned_overrides": whole_texts(redaction.of_overrides(planned.overrides))} if planned else {}),
        },
    )


def record_run_end(config: DictConfig, *, late: bool = False) -> bool:
    """Records that a run or a sweep has ended.

    Args:
        config: the config of `on_run_end` or `on_multirun_end`.
        late: whether it is known only now, that the process ends or goes on with something else; then it ended with the
            last job of this process, if there was one.

    Returns:
        Whether that was not on record yet, and is this process's to tell.
    """
    run = identify_run(config)
    notes = notes_of(config)
    if not _is_recorded(config, run) or "run_ended" in notes or notes.get("run_pid", os.getpid()) != os.getpid():
        return False
    notes["run_ended"] = True
    running_jobs.run_is_over(run.run_id)
    started_s = notes.get("run_started_s")
    ended_s = time.monotonic()
    last_s = running_jobs.last_ended_s()
    if late and last_s is not None and started_s is not None and last_s > started_s:
        ended_s = last_s
    before_s = notes.get("took_before_s", 0.0)  # of a sweep that goes on
    facts = {} if started_s is None else {"duration_s": before_s + ended_s - started_s}
    write_line(run, "run_ended", facts)
    return True


def record_run_facts(config: DictConfig, facts: Mapping[str, Any]) -> None:
    """Adds facts to a run's record; a process that only runs one of its jobs again has none to add.

    Args:
        config: the config of any hook.
        facts: any values by name; secrets in them are redacted.
    """
    run = identify_run(config)
    if _is_recorded(config, run):
        write_line(run, "run_facts", {}, encoded=redaction_of(config).encoded(facts))


def record_run_config(config: DictConfig) -> None:
    """Adds a sweep's config, as it is before its jobs' overrides, to its record: the fact `config`, as of a job.

    Args:
        config: the config of `on_multirun_start`.
    """
    run = identify_run(config)
    if _is_recorded(config, run) and not run.goes_on:
        from hydra_callback_kit.configs.app_config import app_config  # noqa: PLC0415  not always wanted

        write_line(run, "run_facts", {"config": app_config(config).values})


def _is_recorded(config: DictConfig, run: RunIdentity) -> bool:
    """Of a run that one of its jobs is run again for, start and end are not this process's to tell; nor a rank's."""
    return not run.rerun and "unrecorded" not in notes_of(config) and not is_worker()


def _tell_the_ranks(config: DictConfig, *, starts: bool) -> None:
    """Rank 0 says which run the others work for; or that it does not start."""
    rank = rank_of_this_process()
    if rank is not None and rank.number == 0:
        from hydra_callback_kit.journal.meeting import leave_note, take_back_note  # noqa: PLC0415  most jobs are one process

        run = identify_run(config)
        if starts:
            leave_note(run, rank, notes_of(config)["start"], sys.orig_argv[1:])
        else:
            take_back_note(run, rank)


def _rank_launcher(command: CommandLine) -> list[str]:
    if rank_of_this_process() is None:
        return []
    from hydra_callback_kit.provenance.rank_launcher import rank_launcher  # noqa: PLC0415  most jobs are one process

    return rank_launcher(command)


def _planned(config: DictConfig) -> "Plan | None":
    from hydra_callback_kit.configs.plan import planned_jobs  # noqa: PLC0415  a single run has no plan

    return planned_jobs(config)


def _launcher_class(config: DictConfig) -> Any:
    """Whether jobs may outlive the sweep depends on it; a config for it may be called anything."""
    launcher = config.hydra.get("launcher")
    return None if launcher is None else launcher.get("_target_")


def _search(config: DictConfig) -> tuple[list[str], int | None]:
    """What a sweeper is after that chooses jobs as it goes, and how many it is going to try."""
    from hydra_callback_kit.configs.objectives import expected_jobs, sweep_directions  # noqa: PLC0415  a single run has none

    return sweep_directions(config), expected_jobs(config)
