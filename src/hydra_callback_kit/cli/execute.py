"""Runs commands one after another, looks before each whether it is still to be run, and shows how far it has come."""

import codecs
import contextlib
import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import IO, Any, cast

import click

from hydra_callback_kit.cli.screen import Styled, is_terminal, say
from hydra_callback_kit.cli.target import sight
from hydra_callback_kit.cli.turns import TurnOf
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.follower import RunFollower
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.commands import Command


def execute_all(commands: Sequence[Command], run: RunRecord, redaction: Redaction, turn_of: TurnOf) -> None:
    """Runs all commands, also when one fails.

    On a terminal a progress bar stays below what the jobs print. Elsewhere the jobs write to the command's own output.

    Args:
        commands: what to run.
        run: the run whose jobs they are; what it has come to is said at the end.
        redaction: what hides secrets in the commands that failed.
        turn_of: has each command's job to itself.

    Raises:
        click.exceptions.Exit: with code 1 if a command failed.
    """
    execution = _Execution(run, turn_of)
    failed = _with_a_bar(commands, execution) if is_terminal() and commands else _plainly(commands, execution)
    after = read_run(run.root, run.run_id, sight=sight())
    say(f"{wording.status_counts(after)} in {run.root}", err=True)
    for command, why in failed:
        say(Styled(f"{command.what} {why}: {command.line(redaction)}", "red"), err=True)
    if failed:
        raise click.exceptions.Exit(1)


Failed = list[tuple[Command, str]]


class _Execution:
    """Looks before each command whether it is still to be run, and after it whether its jobs were really run again.

    Between the first command and the last one lie hours; and an app may not take overrides from its command line.
    """

    def __init__(self, run: RunRecord, turn_of: TurnOf) -> None:
        self._follower = RunFollower(run.root, run.run_id)
        self._turn_of = turn_of

    def problem(self, command: Command, run: Callable[[], int]) -> str:
        """Runs a command; returns what went wrong, or an empty text."""
        with self._turn_of(command) as turn:
            if turn.why_left_out:
                say(f"Left out: {command.what}, for {turn.why_left_out}.", err=True)
                return ""
            return self._problem(command, run)

    def _problem(self, command: Command, run: Callable[[], int]) -> str:
        self._look()
        before = self._attempts(command)
        try:
            code = run()
        except (OSError, ValueError) as error:  # no such program, or words that no program can be given
            return f"could not be started ({error})"
        self._look()
        if code:
            return f"failed with exit code {code}"
        arrived = self._attempts(command) != before
        return (
            ""
            if arrived or command.onwards is not None
            else "was not run again, although the command ended well: it left no attempt on record"
        )

    def _attempts(self, command: Command) -> list[int]:
        return [self._follower.attempts(num) for num in command.job_nums]

    def _look(self) -> None:
        with contextlib.suppress(OSError):  # what can be read tells; the rest was named before
            self._follower.look()


def _plainly(commands: Sequence[Command], execution: _Execution) -> Failed:
    failed: Failed = []
    for number, command in enumerate(commands, start=1):
        say(f"[{number}/{len(commands)}] {command.what}", err=True)
        sys.stdout.flush()
        problem = execution.problem(command, functools.partial(_started, command))
        if problem:
            failed.append((command, problem))
    return failed


def _started(command: Command) -> int:
    return _wait(subprocess.Popen(command.words, cwd=command.cwd))  # noqa: S603  what was recorded of the run


def _with_a_bar(commands: Sequence[Command], execution: _Execution) -> Failed:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415  for people

    failed: Failed = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("", total=len(commands))
        for command in commands:
            progress.update(bar, description=command.what)
            problem = execution.problem(
                command, functools.partial(_streamed, command, lambda line: progress.console.out(line, highlight=False))
            )
            if problem:
                failed.append((command, problem))
            progress.advance(bar)
    return failed


def _streamed(command: Command, say: Callable[[str], None]) -> int:
    """Runs a command whose output goes line by line above the bar."""
    process = subprocess.Popen(  # noqa: S603  what was recorded of the run
        command.words, cwd=command.cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    )
    output = cast("IO[bytes]", process.stdout).fileno()

    def read() -> None:  # without a buffer, whose lock the end of the process would wait for
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        rest = ""
        while chunk := os.read(output, 1 << 16):
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            for line in lines:
                say(line.rstrip("\r"))
        if rest:
            say(rest)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        return _wait(process)
    finally:
        reader.join(timeout=1)  # what the job has left running may hold the pipe for ever


def _wait(process: "subprocess.Popen[Any]") -> int:
    """Waits for a job. Ctrl-C reaches the job as well, which then ends in its own way."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise
