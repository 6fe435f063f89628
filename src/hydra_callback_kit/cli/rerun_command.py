"""`hydra-callback-kit rerun`: the commands that run what did not complete, and their execution."""

import re
import sys
from pathlib import Path
from typing import Any

import click
from hydra.errors import HydraException

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import NothingToShowError, latest_here
from hydra_callback_kit.cli.completion import RunPath
from hydra_callback_kit.cli.execute import execute_all
from hydra_callback_kit.cli.strangers import ask_about_strangers
from hydra_callback_kit.cli.submit import submit_all
from hydra_callback_kit.cli.target import MAX_NAMED, assume_gone_option, run_option, the_run
from hydra_callback_kit.cli.turns import Turns
from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views import silence, wording
from hydra_callback_kit.views.again import Again, Wanted, jobs_again
from hydra_callback_kit.views.as_one_process import why_not_as_it_was
from hydra_callback_kit.views.batch_commands import sbatch_arguments, sbatch_command
from hydra_callback_kit.views.commands import Command, Commands, redaction_of_run


class _PathOrOverride(RunPath):
    """A path, or the first of the overrides where the path is left out."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        is_override = isinstance(value, str) and re.match(r"[~+]|[^/]+=", value) is not None and not Path(value).exists()
        return value if is_override else super().convert(value, param, ctx)


@click.command("rerun")
@click.argument("path", required=False, type=_PathOrOverride(here=True, exists=True, path_type=Path))
@click.argument("overrides", nargs=-1)
@click.option("--failed", is_flag=True, help="Only jobs that failed.")
@click.option("--interrupted", is_flag=True, help="Only jobs that were interrupted.")
@click.option("--missing", is_flag=True, help="Also jobs that never started, or left no record here.")
@click.option("--execute", is_flag=True, help="Run the commands here, one after another.")
@click.option("--launcher", is_flag=True, help="All jobs as one sweep again, by the launcher that the sweep used.")
@click.option("--sbatch", metavar="ARGS", help="Hand each job to Slurm, with these arguments of sbatch.")
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
    path: Path | str | None,
    overrides: tuple[str, ...],
    failed: bool,
    interrupted: bool,
    missing: bool,
    execute: bool,
    launcher: bool,
    sbatch: str | None,
    yes: bool,
    cwd: Path | None,
    assume_gone: bool,
    run_id: str | None,
) -> None:
    """Print the commands that run what did not complete, or run them.

    A line is a command, quoted for a shell: pipe the lines into `sh`, or into `xargs -L 1 -P 4 env` to run four at a time.
    Each runs one job again as a single run of the app, with the job's overrides, in the job's directory. It counts as
    another attempt at that job of that sweep.

    --launcher makes one command of it, which starts the app as the sweep it was: the jobs that are left go through the
    launcher that it used, with their numbers and directories, and those that have completed are not started. --sbatch
    'ARGS' makes each line a submission to Slurm.

    OVERRIDES are added to each command. One with the key of a recorded override takes its place, which is how secret values,
    which are not recorded, are given again. A value that holds a line break takes several lines, which `sh` takes for one.

    The commands are those that the journal names. --execute asks first where another user has written it, and refuses where
    there is no terminal to ask on. It looks again before each job, and leaves out what somebody else has started meanwhile,
    or is about to, and what ran as several processes that the command does not start.
    """
    if isinstance(path, str):
        overrides, path = (path, *overrides), None
    looks = _Looks(path or latest_here(), run_id, assume_gone=assume_gone)
    run = looks.run()
    screen.print_warnings(run)
    _check(run, launcher=launcher, sbatch=sbatch, missing=missing)
    statuses: dict[Status, bool] = {"FAILED": failed, "INTERRUPTED": interrupted}
    wanted = Wanted(frozenset(status for status, asked in statuses.items() if asked or not any(statuses.values())), missing)
    try:
        arguments = None if sbatch is None else sbatch_arguments(sbatch)
        again = jobs_again(run, wanted, as_sweep=launcher)
        commands = Commands(run, overrides, cwd) if again.any else None
        listed = [] if commands is None else _listed(commands, again, as_sweep=launcher)
    except (ValueError, HydraException) as error:
        raise click.UsageError(str(error)) from error
    _say_what_is_left_out(run, again, missing=missing, as_sweep=launcher)
    if commands and commands.other_python:
        screen.say(f"{commands.other_python} is gone, which the run was started with: {sys.executable} is used.", err=True)
    listed = _said_of_ranks(run, listed, execute=execute)
    if arguments is not None:
        listed = [sbatch_command(each, run, arguments) for each in listed]
    if execute and (listed or not again.any):
        redaction = redaction_of_run(run, overrides)
        if not yes:
            ask_about_strangers(run, listed, redaction)
        start_all = execute_all if sbatch is None else submit_all
        start_all(listed, run, redaction, Turns(run, looks.run, wanted, assume_gone=assume_gone).at)
    elif listed:
        for each in listed:
            screen.say_as_it_is(each.line())
    else:
        raise NothingToShowError(f"Nothing to run again: {wording.status_counts(run)} in {run.root}")


def _check(run: RunRecord, *, launcher: bool, sbatch: str | None, missing: bool) -> None:
    """Refuses what does not go together."""
    if launcher and sbatch is not None:
        raise click.UsageError("--launcher and --sbatch are two ways to start the jobs: choose one.")
    if run.status == "RUNNING" and not run.over and (missing or launcher):
        raise click.UsageError(
            f"The run is still RUNNING: what is missing may yet start. Without {'--launcher' if launcher else '--missing'} "
            f"what failed is run again.{_out_of_sight(run)}"
        )


class _Looks:
    """Looks at the run, as it stands at that moment.

    Args:
        path: what was given.
        run_id: the same.
        assume_gone: whether what cannot be seen from here is taken for gone.
    """

    def __init__(self, path: Path, run_id: str | None, *, assume_gone: bool) -> None:
        self._path = path
        self._run_id = run_id
        self._assume_gone = assume_gone

    def run(self) -> RunRecord:
        """Reads the run: at first the one that the path means, and that one from then on."""
        click.get_current_context().obj = None  # what Slurm has said before may no longer hold
        run = the_run(self._path, self._run_id, assume_gone=self._assume_gone)
        self._path, self._run_id = run.root, run.run_id
        return run


def _listed(commands: Commands, again: Again, *, as_sweep: bool) -> list[Command]:
    """The commands, in the order of the jobs' numbers."""
    if as_sweep:
        return [commands.sweep(again.numbers, again.onwards)]
    return sorted(
        [
            *(commands.another_attempt(job) for job in again.jobs),
            *(commands.first_attempt(num, overrides) for num, overrides in again.first.items()),
        ],
        key=lambda command: command.job_nums,
    )


def _said_of_ranks(run: RunRecord, listed: list[Command], *, execute: bool) -> list[Command]:
    """Says which jobs ran as several processes that their commands do not start; such a command is not executed."""
    said = [why_not_as_it_was(run, each) for each in listed]
    named = [why for why in said if why]
    for why in named[:MAX_NAMED]:
        screen.say(f"Left out: {why}." if execute else f"{why[0].upper()}{why[1:]}.", err=True)
    if len(named) > MAX_NAMED:
        screen.say(f"The same goes for {len(named) - MAX_NAMED} more.", err=True)
    return [each for each, why in zip(listed, said, strict=True) if not (execute and why)]


def _out_of_sight(run: RunRecord) -> str:
    """Where something counts as running only because nobody knows better: that, and what to type."""
    said = silence.of_run(run)
    return f" It is not known of all: {said}. {silence.ASSUME_GONE}" if said else ""


def _say_what_is_left_out(run: RunRecord, again: Again, *, missing: bool, as_sweep: bool) -> None:
    if run.count("RUNNING"):
        still = run.count("RUNNING")
        screen.say(f"Left out: {still} that still {'runs' if still == 1 else 'run'}.{_out_of_sight(run)}", err=True)
    if again.queued and not run.count("RUNNING") and silence.of_run(run):
        screen.say(_out_of_sight(run).lstrip(), err=True)
    for num, why in list(again.queued.items())[:MAX_NAMED]:
        screen.say(f"Left out: job {num}, for {why}.", err=True)
    if len(again.queued) > MAX_NAMED:
        screen.say(f"Left out: {len(again.queued) - MAX_NAMED} more that are queued.", err=True)
    pruned = sum(job.pruned for job in run.jobs)
    if pruned and not as_sweep:
        screen.say(f"Left out: {pruned} that {'was' if pruned == 1 else 'were'} pruned.", err=True)
    if missing or not run.over:
        return
    lost = len(wording.without_record(run))
    for count, what in ((lost, "left no record here"), (wording.not_started(run), "never started")):
        if count:
            screen.say(f"Left out: {count} that {what}; --missing includes them.", err=True)
