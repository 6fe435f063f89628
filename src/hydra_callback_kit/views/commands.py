"""The commands that run a job again: as another attempt at it, or as a new run of its own."""

import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hydra.errors import HydraException

from hydra_callback_kit.configs.hydra_internals import get_args_parser
from hydra_callback_kit.configs.identity import rerun_overrides
from hydra_callback_kit.configs.plan import missing_jobs
from hydra_callback_kit.configs.recorded_overrides import count_of_jobs, read_override
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.configs.secret_keys import DEFAULT_SECRET_KEYS
from hydra_callback_kit.journal.command_line import app_words
from hydra_callback_kit.journal.masking import is_marked
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text

MAX_PLANNED: Final = 100_000
"""Jobs of a sweep whose missing ones are looked for."""

_SET_ANEW: Final = frozenset({"hydra.mode", "hydra.sweep.dir", "hydra.run.dir", "hydra.job.num", "hydra.job.id"})


class NotRecordedError(ValueError):
    """The journal does not hold what a command needs; the message says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Command:
    """Runs one job.

    Attributes:
        job_num: which job.
        words: the program and its arguments.
        cwd: the directory it has to be started in.
    """

    job_num: int
    words: tuple[str, ...]
    cwd: Path

    def line(self, redaction: Redaction | None = None) -> str:
        """One line for a shell; it goes to `cwd` first, unless that is where the caller is.

        Args:
            redaction: what hides secrets, for people to read; None for a shell to run.
        """
        words = self.words if redaction is None else redaction.of_command(self.words)
        if sys.platform == "win32":
            return subprocess.list2cmdline(words)
        if self.cwd == Path.cwd():
            return shlex.join(words)
        # one simple command, which `xargs` can run as well as a shell
        return shlex.join(["sh", "-c", 'cd "$0" && exec "$@"', str(self.cwd), *words])


def redaction_of_run(run: RunRecord, overrides: Iterable[str]) -> Redaction:
    """What hides secrets that are given to a run's jobs again.

    Args:
        run: the run, which may have chosen what makes a key secret.
        overrides: what is given.
    """
    words = run.facts.get("secret_keys")
    redaction = Redaction(_words(words) if isinstance(words, list) else DEFAULT_SECRET_KEYS)
    redaction.learn(redaction.secrets_in_overrides(overrides))
    return redaction


class Commands:
    """Makes the commands for a run's jobs.

    Args:
        run: the run.
        overrides: overrides to add to each command. One with the key of a recorded override takes its place, and its `+`
            or `++` if it has none.
        cwd: where to start the commands; None for the directory that the run was started in.

    Attributes:
        other_python: the interpreter that the run was started with, if that is gone: then the commands use this process's.

    Raises:
        NotRecordedError: if it is not known how the run was started, or that directory is not on this machine.
        HydraException: if a recorded override cannot be read.
        ValueError: if an override that is to be added cannot be read, or stands for several jobs.
    """

    def __init__(self, run: RunRecord, overrides: Sequence[str] = (), cwd: Path | None = None) -> None:
        self._run = run
        self._added = {_key_of_added(override): override for override in overrides}
        program, command = _words(run.facts.get("program")), _words(run.facts.get("command"))
        if not program or not command:
            raise NotRecordedError(f"The journal in {run.root} does not say how the run was started.")
        if run.facts.get("from_python"):
            raise NotRecordedError(
                f"The run in {run.root} was started from Python code, which takes no overrides from a command: "
                f"start it there again. The command was: {shlex.join(command)}"
            )
        self._cwd = cwd or Path(as_text(run.facts.get("cwd")))
        if not os.path.isdir(self._cwd):  # noqa: PTH112  unlike `Path.is_dir` it raises for no name and no permission
            raise NotRecordedError(
                f"The run was started in {self._cwd}, which is not on this machine. "
                "Say with --cwd which directory holds the app here."
            )
        self.other_python = None if os.path.exists(program[0]) else program[0]  # noqa: PTH110  the same
        python = program[0] if self.other_python is None else sys.executable
        others = _words(run.facts.get("other_arguments"))
        if any(map(is_marked, others)):
            raise NotRecordedError(
                f"The app was given a secret ({' '.join(filter(is_marked, others))}), and secret values are not recorded."
            )
        launcher = _words(run.facts.get("rank_launcher"))
        started_with = [*launcher, *app_words(program)] if launcher else [python, *program[1:]]
        self._start = [*started_with, *others, *_options(command[len(program) :])]
        self._hydra_overrides = [
            override for override in _words(run.facts.get("hydra_overrides")) if _key(override) not in _SET_ANEW
        ]

    def another_attempt(self, job: JobRecord) -> Command:
        """The command that runs a job that started again, in its own directory."""
        return self._command(
            job.job_num,
            job.task_overrides,
            rerun_overrides(self._run.run_id, self._run.root.absolute(), job.job_num, job.output_dir),
        )

    def first_attempt(self, job_num: int, overrides: Sequence[str]) -> Command:
        """The command that runs a job that never started."""
        directory = self._run.root.absolute() if self._run.mode == "RUN" else None
        return self._command(
            job_num, overrides, rerun_overrides(self._run.run_id, self._run.root.absolute(), job_num, directory)
        )

    def new_run(self, job: JobRecord) -> Command:
        """The command that runs what a job ran as a single run with an output directory of its own."""
        return self._command(job.job_num, job.task_overrides, ["hydra.mode=RUN"])

    def _command(self, job_num: int, overrides: Iterable[str], hydra_overrides: Iterable[str]) -> Command:
        recorded, prefixes = [], dict.fromkeys(self._added, "")
        for override in (*overrides, *self._hydra_overrides):
            key = _key(override)
            if key in prefixes:
                prefixes[key] = override[: len(override) - len(override.lstrip("+"))]
            else:
                recorded.append(override)
        added = [override if override[0] in "+~" else prefixes[key] + override for key, override in self._added.items()]
        secret = [_key(override) for override in recorded if is_marked(override)]
        if secret:
            values = " ".join(f"{key}=VALUE" for key in secret)
            raise NotRecordedError(
                f"Job {job_num} was given {' and '.join(secret)}, and secret values are not recorded. "
                f"Add them behind the path: {values}"
            )
        return Command(job_num, (*self._start, *recorded, *added, *hydra_overrides), self._cwd)


def never_started(run: RunRecord) -> dict[int, tuple[str, ...]]:
    """Tells the jobs that a run was going to have and that never started, as far as the record knows.

    Args:
        run: a single run or a sweep.

    Returns:
        The overrides of each by its number.

    Raises:
        NotRecordedError: if that is not known.
    """
    overrides = _words(run.facts.get("planned_overrides" if run.mode == "MULTIRUN" else "overrides"))
    if run.mode == "RUN":
        return {} if run.jobs else {0: tuple(overrides)}
    if run.planned_jobs is None and run.launched:
        known = {job.job_num for job in run.jobs}
        return {num: words for num, words in run.launched.items() if num not in known}
    if run.planned_jobs is None:
        raise NotRecordedError(
            f"Which jobs are missing cannot be known: the sweeper ({run.facts.get('sweeper')}) chooses them as it goes."
        )
    if run.planned_jobs > MAX_PLANNED:
        raise NotRecordedError(f"Which jobs are missing cannot be known: {run.planned_jobs} are said to have been planned.")
    try:
        count = count_of_jobs(overrides, MAX_PLANNED)
    except HydraException as error:
        raise NotRecordedError(f"Which jobs are missing cannot be known: {error}") from error
    if count != run.planned_jobs:
        raise NotRecordedError("Which jobs are missing cannot be known: the sweep varies a secret value.")
    try:
        return missing_jobs(overrides, {job.job_num: job.task_overrides for job in run.jobs})
    except ValueError as error:
        raise NotRecordedError(
            "Which jobs are missing cannot be known: the sweep was shuffled, and a job was run again with other overrides, "
            "or the record of its start is lost."
        ) from error


def _key(override: str) -> str:
    """The key of an override without what stands before it; a redacted one cannot be parsed."""
    name, _, value = override.partition("=")
    if is_marked(value):
        return name.lstrip("+~")
    return str(read_override(override).get_key_element()).lstrip("+~")


def _key_of_added(override: str) -> str:
    try:
        parsed = read_override(override)
    except HydraException as error:
        redaction = Redaction()  # the error quotes what may be a secret
        redaction.learn(redaction.secrets_in_overrides([override]))
        shown, why = redaction.of_override(override), redaction.of_text(str(error))
        raise ValueError(f"{shown!r} is no override such as key=value: {why}") from error
    if parsed.is_sweep_override():
        raise ValueError(f"{override!r} stands for several jobs, and each command runs one.")
    return str(parsed.get_key_element()).lstrip("+~")


def _options(arguments: Sequence[str]) -> list[str]:
    """The options of a Hydra app that choose its config."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            parsed, _ = get_args_parser().parse_known_args(arguments)
    except SystemExit as error:  # it asks for Hydra's version, or an option has no value: no run starts like that
        raise NotRecordedError(f"The command on record starts no run: {shlex.join(arguments)}") from error
    names = ("config_path", "config_name", "config_dir")
    return [word for name in names if (given := getattr(parsed, name)) for word in (f"--{name.replace('_', '-')}", given)]


def _words(fact: Any) -> list[str]:
    return [as_text(word) for word in fact] if isinstance(fact, list) else []
