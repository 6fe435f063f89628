"""The program that has started the ranks of a distributed job, as it was typed: torchrun, accelerate, mpirun."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.command_line import CommandLine, app_words

MAX_ANCESTORS: Final = 8
"""Processes above this one that are looked at: a launcher may have started another one."""


def rank_launcher(command: CommandLine) -> list[str]:
    """Tells the words that were typed before the app's own.

    Args:
        command: how this process was started, by the launcher.

    Returns:
        Such as `["torchrun", "--nproc-per-node", "2"]`. Empty where no process above this one was started with the same app
        and the same arguments, as under srun on another machine, and where the system does not tell (all but Linux).
    """
    ends_with = [*app_words(command.program), *command.arguments]
    found: list[str] = []
    for words in _commands_above():
        if len(words) > len(ends_with) and words[-len(ends_with) :] == ends_with:
            found = words[: -len(ends_with)]  # the one that was typed is above those that it has started
    return _as_typed(found)


def _commands_above() -> Iterator[list[str]]:
    pid = os.getppid()
    for _ in range(MAX_ANCESTORS):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        except OSError:
            return
        yield words.decode("utf-8", "surrogateescape").split("\0")[:-1]
        pid = int(stat.rpartition(")")[2].split()[1])


def _as_typed(words: list[str]) -> list[str]:
    """A script that is a command has its interpreter before it in the list of processes."""
    if len(words) > 1 and Path(words[0]).name.startswith("python") and shutil.which(Path(words[1]).name) == words[1]:
        return [Path(words[1]).name, *words[2:]]
    return words
