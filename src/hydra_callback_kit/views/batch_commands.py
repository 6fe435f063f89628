"""Commands that hand a job to Slurm: `sbatch`, around the command that runs it."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views.commands import Command
from hydra_callback_kit.views.launcher_logs import slurm_log

_SEVERAL: Final = ("-a", "--array")
_OURS: Final = ("--wrap",)


class SbatchArgumentsError(ValueError):
    """What was given for `sbatch` does not go with one command for each job; the message says why, and what to do."""


def sbatch_arguments(text: str) -> list[str]:
    """The words of what was given for `sbatch`.

    Args:
        text: such as `--partition=gpu --time=4:00:00`, quoted as for a shell.

    Raises:
        SbatchArgumentsError: if the quotes do not match, or an argument would start a job more than once, or something else.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise SbatchArgumentsError(f"{text!r} cannot be read as a shell would: {error}.") from error
    for word in words:
        name = word.partition("=")[0]
        if name in _SEVERAL or (word.startswith("-a") and not word.startswith("--")):
            raise SbatchArgumentsError(f"{word} would start each job several times: each is submitted as a job of its own.")
        if name in _OURS:
            raise SbatchArgumentsError(f"{word}: what is submitted is the command that runs the job.")
    return words


def sbatch_command(command: Command, run: RunRecord, arguments: Sequence[str]) -> Command:
    """The command that submits a job.

    Its name is the app's with the job's number. What it prints goes to `slurm-<id>.out` in the job's directory, or in the
    sweep's where the job has none yet. Arguments that say otherwise come later and so count.

    Args:
        command: what runs the job.
        run: the job's run.
        arguments: more arguments of `sbatch`.
    """
    (num,) = command.job_nums
    job = next((job for job in run.jobs if job.job_num == num), None)
    directory = job.output_dir if job is not None and job.output_dir is not None else run.root
    directory = (directory if directory.is_dir() else run.root).absolute()
    name = as_text(run.facts.get("job_name") or "app")
    words = (
        "sbatch",
        "--parsable",
        f"--job-name={name}_{num}" if run.mode == "MULTIRUN" else f"--job-name={name}",
        f"--output={_literal(directory)}/{slurm_log('%j')}",
        f"--chdir={command.cwd}",
        *arguments,
        f"--wrap=exec {shlex.join(command.words)}",
    )
    return Command(command.job_nums, words, Path.cwd())


def _literal(directory: Path) -> str:
    """A path in which `sbatch` finds no patterns."""
    return directory.as_posix().replace("%", "%%")
