"""Submits jobs to Slurm, and leaves on record that they are queued, so that nobody submits them a second time."""

import re
import subprocess
from collections.abc import Sequence

import click

from hydra_callback_kit.cli.screen import Styled, say
from hydra_callback_kit.cli.turns import TurnOf
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.handed_on import write_handed_on
from hydra_callback_kit.journal.identity import RunIdentity
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views.commands import Command


def submit_all(commands: Sequence[Command], run: RunRecord, redaction: Redaction, turn_of: TurnOf) -> None:
    """Submits all jobs, also when one is refused.

    Args:
        commands: those of `sbatch`.
        run: the run whose jobs they are.
        redaction: what hides secrets in the commands that failed.
        turn_of: has each command's job to itself.

    Raises:
        click.exceptions.Exit: with code 1 if a job was not submitted.
    """
    cluster = Slurm().cluster_here() or None
    identity = RunIdentity(run.run_id, run.root.absolute(), run.mode, rerun=True)
    failed = False
    for command in commands:
        with turn_of(command) as turn:
            if turn.why_left_out:
                say(f"Left out: {command.what}, for {turn.why_left_out}.", err=True)
                continue
            batch_job, problem = _submitted(command)
            if batch_job:
                write_handed_on(identity, {num: turn.attempts.get(num, 0) for num in command.job_nums}, batch_job, cluster)
                say(f"{command.what} is queued as {batch_job}")
                continue
        failed = True
        say(Styled(f"{command.what} was not submitted: {problem}: {command.line(redaction)}", "red"), err=True)
    if failed:
        raise click.exceptions.Exit(1)


def _submitted(command: Command) -> tuple[str, str]:
    """Submits a job; returns its id, or what went wrong."""
    try:
        done = subprocess.run(  # noqa: S603  what was recorded of the run
            command.words, cwd=command.cwd, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
    except (OSError, ValueError) as error:
        return "", f"sbatch cannot be started here ({error})"
    found = re.search(r"^([0-9]+)(?:;\S*)?$", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        return "", " ".join((done.stderr or done.stdout).split()) or f"sbatch ended with exit code {done.returncode}"
    return found[1], ""
