"""`hydra-callback-kit rerun`: the commands that run what did not complete, and their execution."""

import sys
from pathlib import Path

import click
from hydra.errors import HydraException

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.execute import execute_all
from hydra_callback_kit.cli.strangers import ask_about_strangers
from hydra_callback_kit.cli.target import NothingToShowError, assume_gone_option, path_argument, run_option, the_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views import silence, wording
from hydra_callback_kit.views.commands import Commands, never_started, redaction_of_run


@click.command("rerun")
@path_argument
@click.argument("overrides", nargs=-1)
@click.option("--failed", is_flag=True, help="Only jobs that failed.")
@click.option("--interrupted", is_flag=True, help="Only jobs that were interrupted.")
@click.option("--missing", is_flag=True, help="Also jobs that never started, or left no record here.")
@click.option("--execute", is_flag=True, help="Run the commands here, one after another.")
@click.option("--yes", is_flag=True, help="Execute without asking what another user's journal names.")
@click.option(
    "--cwd",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="Where to start the app, if not in the directory it was started in.",
)
@assume_gone_option
@run_option
def command(
    *,
    path: Path,
    overrides: tuple[str, ...],
    failed: bool,
    interrupted: bool,
    missing: bool,
    execute: bool,
    yes: bool,
    cwd: Path | None,
    assume_gone: bool,
    run_id: str | None,
) -> None:
    """Print the commands that run what did not complete, or execute them.

    A line is a command, quoted for a shell: pipe the lines into `sh`, or into `xargs -L 1 -P 4 env` to run four at a time.
    Each runs one job again as a single run of the app, with the job's overrides, in the job's directory. It counts as
    another attempt at that job of that sweep.

    OVERRIDES are added to each command. One with the key of a recorded override takes its place, which is how secret values,
    which are not recorded, are given again. A value that holds a line break takes several lines, which `sh` takes for one.

    The commands are those that the journal names. --execute asks first where another user has written it, and refuses where
    there is no terminal to ask on.
    """
    run = the_run(path, run_id, assume_gone=assume_gone)
    screen.print_warnings(run)
    if missing and run.status == "RUNNING":
        raise click.UsageError(
            "The run is still RUNNING: what is missing may yet start. Without --missing what failed is run again."
            + _out_of_sight(run)
        )
    statuses = [status for status, wanted in (("FAILED", failed), ("INTERRUPTED", interrupted)) if wanted]
    again = [job for job in run.jobs if job.status in (statuses or ("FAILED", "INTERRUPTED"))]
    try:
        first = never_started(run) if missing else {}
        commands = Commands(run, overrides, cwd) if again or first else None
        listed = commands and sorted(
            [
                *(commands.another_attempt(job) for job in again),
                *(commands.first_attempt(num, overrides) for num, overrides in first.items()),
            ],
            key=lambda command: command.job_num,
        )
    except (ValueError, HydraException) as error:
        raise click.UsageError(str(error)) from error
    _say_what_is_left_out(run, missing=missing)
    if commands and commands.other_python:
        screen.say(f"{commands.other_python} is gone, which the run was started with: {sys.executable} is used.", err=True)
    if execute:
        redaction = redaction_of_run(run, overrides)
        if not yes:
            ask_about_strangers(run, listed or [], redaction)
        execute_all(listed or [], run, redaction)
    elif listed:
        for each in listed:
            screen.say_as_it_is(each.line())
    else:
        raise NothingToShowError(f"Nothing to run again: {wording.status_counts(run)} in {run.root}")


def _out_of_sight(run: RunRecord) -> str:
    """Where something counts as running only because nobody knows better: that, and what to type."""
    said = silence.of_run(run)
    return f" It is not known of all: {said}. {silence.ASSUME_GONE}" if said else ""


def _say_what_is_left_out(run: RunRecord, *, missing: bool) -> None:
    if run.count("RUNNING"):
        still = run.count("RUNNING")
        screen.say(f"Left out: {still} that still {'runs' if still == 1 else 'run'}.{_out_of_sight(run)}", err=True)
    if missing or run.status == "RUNNING":
        return
    lost = len(wording.without_record(run))
    for count, what in ((lost, "left no record here"), (wording.not_started(run), "never started")):
        if count:
            screen.say(f"Left out: {count} that {what}; --missing includes them.", err=True)
