"""`hydra-callback-kit stop`: ends a run and its jobs, gently and then hard."""

import contextlib
import shlex
import time
from pathlib import Path
from typing import Final

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import NothingToShowError, without_link
from hydra_callback_kit.cli.completion import RunPath
from hydra_callback_kit.cli.strangers import other_users
from hydra_callback_kit.cli.target import run_option, the_run
from hydra_callback_kit.journal.output_file import starting_in
from hydra_callback_kit.journal.process import ProcessIdentity, is_alive
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.turn import NotOurTurnError, turn_of_stopping
from hydra_callback_kit.launching.stop_starting import stop_starting
from hydra_callback_kit.launching.stopping import Stopping, out_of_reach
from hydra_callback_kit.views import silence, wording

_LOOKS_EVERY_S: Final = 0.5


@click.command("stop")
@click.argument("path", type=RunPath(exists=True, path_type=Path))
@click.option(
    "--after",
    "after_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Kill what has not ended by then.",
)
@click.option("--yes", is_flag=True, help="End what another user's journal names.")
@run_option
def command(*, path: Path, after_s: float, yes: bool, run_id: str | None) -> None:
    """End a run and its jobs, gently and then hard.

    A run or a sweep, whether or not it was detached. First as Ctrl-C does, so that files are closed and summaries are
    written; what is left after --after seconds is killed, with what it has started. Signals go only to processes of this
    machine that are on record as this run's and were started when the record says. Slurm's jobs are ended by scancel. What
    runs on another machine is named. Jobs that have completed stay as they are. The exit code is 0 if nothing of the run is
    left, else 1.
    """
    run = _recorded(path, run_id, after_s)
    screen.print_warnings(run)

    def read() -> RunRecord:
        click.get_current_context().obj = None  # what Slurm has said before may no longer hold
        return the_run(run.root, run.run_id)

    if run.status != "RUNNING":
        screen.say(f"There is nothing to stop. {_stands(run)}")
        return
    others = [] if yes else other_users(run)
    if others:
        raise click.UsageError(
            f"The journal in {run.root} was written by {' and '.join(others)}, and it says which processes are ended: "
            "they may be others of yours. Look at them with show --json; then give --yes as well."
        )
    run = _ended(run, Stopping(read, screen.say, after_s))
    screen.say(_stands(run))
    if run.status == "RUNNING":
        for process, what in out_of_reach(run).items():
            screen.say(_where(process, what, run), err=True)
        said = silence.of_run(run)
        if said:
            screen.say(f"It is not known of all whether they run: {said}.", err=True)
        raise click.exceptions.Exit(1)


def _recorded(path: Path, run_id: str | None, after_s: float) -> RunRecord:
    """The run that is on record; what was started without a terminal a moment ago is ended before it is."""
    try:
        return the_run(path, run_id)
    except NothingToShowError:
        process = starting_in(without_link(path))
        if process is None or is_alive(process) is False:
            raise
    stop_starting(process, screen.say, after_s)
    with contextlib.suppress(NothingToShowError):
        return the_run(path, run_id)
    if is_alive(process) is not False:
        raise NothingToShowError(
            f"A run is about to start in {path}, as process {process.pid} on {process.host}, which could not be ended from "
            f"here. Type there, or once it is on record: hydra-callback-kit stop {shlex.quote(str(path))}"
        )
    screen.say(f"What was about to start in {path} has ended. No run is on record.")
    raise click.exceptions.Exit(0)


def _ended(run: RunRecord, stopping: Stopping) -> RunRecord:
    """Ends the run, once it is this process's turn: of several that do so at once, one sends the signals."""
    is_said = False
    while True:
        try:
            with contextlib.ExitStack() as stack:
                with contextlib.suppress(OSError):  # no file can be made there
                    stack.enter_context(turn_of_stopping(run.root, run.run_id, lambda other: is_alive(other) is False))
                return stopping.end()
        except NotOurTurnError as error:
            if not is_said:
                who = "Somebody" if error.holder is None else f"Process {error.holder.pid} on {error.holder.host}"
                screen.say(f"{who} is stopping it already: waiting for that.", err=True)
                is_said = True
            time.sleep(_LOOKS_EVERY_S)


def _stands(run: RunRecord) -> str:
    kind = "sweep" if run.mode == "MULTIRUN" else "run"
    return f"The {kind} in {run.root} is {run.status}: {wording.status_counts(run)}."


def _where(process: ProcessIdentity, what: str, run: RunRecord) -> str:
    there = f"{what[0].upper()}{what[1:]} runs as process {process.pid}"
    if is_alive(process) is None:
        return f"{there} on {process.host}. Type there: hydra-callback-kit stop {shlex.quote(str(run.root))}"
    if process.born is None:
        return f"{there}, or another does now: when it was started is not on record here. If it is: kill {process.pid}"
    return f"{there}, and could not be ended."
