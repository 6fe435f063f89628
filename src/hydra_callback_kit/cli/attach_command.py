"""`hydra-callback-kit attach`: the output of a run without a terminal, until it ends."""

import os
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import NothingToShowError
from hydra_callback_kit.cli.target import path_argument, run_option, the_run
from hydra_callback_kit.journal.output_file import OutputFollower, exit_code_of, output_file_of
from hydra_callback_kit.journal.process import is_alive
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views import wording

_LOOKS_EVERY_S: Final = 0.2

_READS_EVERY_S: Final = 5.0
"""How often the record is read of a run whose process cannot be seen from here."""

_WRITES_ITS_CODE_WITHIN_S: Final = 1.0

_INTERRUPTED: Final = 130
"""As a shell has it."""

_EXIT_CODES: Final = {"COMPLETED": 0, "FAILED": 1, "INTERRUPTED": _INTERRUPTED, "RUNNING": 0}


@click.command("attach")
@path_argument
@click.option(
    "-n",
    "--lines",
    metavar="N",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many lines to begin with that are there already.",
)
@run_option
def command(*, path: Path, lines: int, run_id: str | None) -> None:
    """Follow the output of a run that was detached.

    It ends when the run or sweep does. Ctrl-C ends the command, and the run goes on. When the run ends, or where it has
    ended already, the exit code is the run's.
    """
    run = the_run(path, run_id)
    output = output_file_of(run.root, run.facts)
    goes_on_elsewhere = output is not None and exit_code_of(output) is not None and _lives(run) is True
    if output is None or goes_on_elsewhere:  # a sweep that was detached at first may go on with a terminal
        raise NothingToShowError(
            f"The run in {run.root} was not detached: its output is where it was started. "
            f"To see how it stands: hydra-callback-kit show {shlex.quote(str(run.root))}"
        )
    if not output.exists():
        code = exit_code_of(output)
        if code is not None:  # it had nothing left to launch, and said so where it was started
            screen.say(
                f"Nothing was launched: what it said, it said where it was started. It ended with exit code {code}", err=True
            )
            raise click.exceptions.Exit(code)
        raise NothingToShowError(f"The output of the run in {run.root} is gone: there is no {output.name}.")
    pass_on = screen.pass_on if output.stat().st_uid == os.getuid() else _spell_out
    try:
        code = _follow(run, output, OutputFollower(output, lines), pass_on)
    except KeyboardInterrupt:
        screen.say("", err=True)  # what was typed stands on a line of its own
        screen.say(f"It goes on. To end it: hydra-callback-kit stop {shlex.quote(str(run.root))}", err=True)
        raise click.exceptions.Exit(_INTERRUPTED) from None
    if code is None:
        run = the_run(run.root, run.run_id)
        screen.say(f"It has ended without an exit code: {wording.status_counts(run)} in {run.root}", err=True)
        code = _EXIT_CODES[run.status]
    raise click.exceptions.Exit(code)


def _lives(run: RunRecord) -> bool | None:
    return None if run.process is None else is_alive(run.process)


def _spell_out(output: bytes) -> None:
    """Another user's, who may have written anything for a terminal to obey."""
    if output:
        screen.say_lines(output.decode("utf-8", "replace").removesuffix("\n"))


def _follow(run: RunRecord, output: Path, follower: OutputFollower, pass_on: Callable[[bytes], None]) -> int | None:
    """Shows what is written until the run has ended; its exit code, or None where that could not be written."""
    read_s = time.monotonic() + _READS_EVERY_S
    gone_s: float | None = None
    while True:
        code = exit_code_of(output)
        pass_on(follower.new())
        if code is not None:
            return code
        if gone_s is not None and time.monotonic() - gone_s > _WRITES_ITS_CODE_WITHIN_S:
            return None
        alive = _lives(run)
        if alive is None and time.monotonic() > read_s:
            run, read_s = the_run(run.root, run.run_id), time.monotonic() + _READS_EVERY_S
        if gone_s is None and (alive is False or run.over):
            gone_s = time.monotonic()
        time.sleep(_LOOKS_EVERY_S)
