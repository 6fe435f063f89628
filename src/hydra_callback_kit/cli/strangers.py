"""Whether a journal is another user's: the commands that it names are then a stranger's script."""

import os
import sys
from collections.abc import Sequence
from typing import Final

import click

from hydra_callback_kit.cli.screen import Styled, say
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.format import JOURNAL_DIR
from hydra_callback_kit.journal.journal_lines import files_of_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.commands import Command

MAX_SHOWN: Final = 5
"""Commands that are shown before people are asked."""


def ask_about_strangers(run: RunRecord, commands: Sequence[Command], redaction: Redaction) -> None:
    """Asks before commands are started that a journal of another user names. The superuser is asked like everybody.

    On Windows files do not say simply whose they are: there nobody is asked.

    Args:
        run: the run.
        commands: what is about to be started.
        redaction: hides the secrets that were given with it.

    Raises:
        click.UsageError: if there is no terminal to ask on.
        click.Abort: if the answer is no.
    """
    others = other_users(run)
    if not others or not commands:
        return
    whose = f"The journal in {run.root} was written by {' and '.join(others)}, and what it names would run as you"
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError(f"{whose}. Read the commands, which this prints without --execute; then give --yes as well.")
    say(f"{whose}:", err=True)
    for command in commands[:MAX_SHOWN]:
        say(f"  {command.line(redaction)}", err=True)
    if len(commands) > MAX_SHOWN:
        say(Styled(f"  and {len(commands) - MAX_SHOWN} more", dim=True), err=True)
    click.confirm(f"Run {wording.jobs(len(commands))}?", abort=True, err=True)


def other_users(run: RunRecord) -> list[str]:
    """Who else owns the journal's directory or one of the run's files in it."""
    if sys.platform == "win32":
        return []
    owners = {path.stat().st_uid for path in (run.root / JOURNAL_DIR, *files_of_run(run.root, run.run_id))}
    return [_name(owner) for owner in sorted(owners - {os.geteuid()})]


def _name(owner: int) -> str:
    import pwd  # noqa: PLC0415  Windows has none

    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:  # a user of another machine
        return f"user {owner}"
