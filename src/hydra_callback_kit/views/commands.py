"""The commands that run a job again: as another attempt at it, or as a new run of its own."""

import contextlib
import dataclasses
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
from hydra_callback_kit.configs.identity import rerun_overrides, sweep_again_overrides
from hydra_callback_kit.configs.recorded_overrides import read_override
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.configs.secret_keys import DEFAULT_SECRET_KEYS
from hydra_callback_kit.journal.command_line import app_words
from hydra_callback_kit.journal.job_numbers import joined_numbers
from hydra_callback_kit.journal.masking import is_marked
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text

MAX_NUMBERS: Final = 100_000
"""Characters of the numbers of jobs in one command; Linux takes no argument of more than 131,072."""

_SET_ANEW: Final = frozenset({"hydra.mode", "hydra.sweep.dir", "hydra.run.dir", "hydra.job.num", "hydra.job.id"})


class NotRecordedError(ValueError):
    """The journal does not hold what a command needs; the message says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Command:
    """Runs one job, or several as one sweep.

    Attributes:
        job_nums: which jobs.
        words: the program and its arguments.
        cwd: the directory it has to be started in.
        onwards: from where on all jobs of the sweep are among them; None if they end.
    """

    job_nums: tuple[int, ...]
    words: tuple[str, ...]
    cwd: Path
    onwards: int | None = None

    @property
    def what(self) -> str:
        """`job 3`, `jobs 1, 3-5`."""
        several = len(self.job_nums) != 1 or self.onwards is not None
        return f"job{'s' if several else ''} {joined_numbers(self.job_nums, ', ', self.onwards)}"

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
    redaction = Redaction(words_of(words) if isinstance(words, list) else DEFAULT_SECRET_KEYS)
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
        ValueError: if an override that is to be added cannot be read.
    """

    def __init__(self, run: RunRecord, overrides: Sequence[str] = (), cwd: Path | None = None) -> None:
        self._run = run
        self._added = {_key_of_added(override): override for override in overrides}
        program, command = words_of(run.facts.get("program")), words_of(run.facts.get("command"))
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
        others = words_of(run.facts.get("other_arguments"))
        if any(map(is_marked, others)):
            raise NotRecordedError(
                f"The app was given a secret ({' '.join(filter(is_marked, others))}), and secret values are not recorded."
            )
        launcher = words_of(run.facts.get("rank_launcher"))
        started_with = [*launcher, *app_words(program)] if launcher else [python, *program[1:]]
        self._start = [*started_with, *others, *_options(command[len(program) :])]
        self._hydra_overrides = [
            override for override in words_of(run.facts.get("hydra_overrides")) if _key(override) not in _SET_ANEW
        ]

    def another_attempt(self, job: JobRecord) -> Command:
        """The command that runs a job that started again, in its own directory."""
        return self._one(
            job.job_num,
            job.task_overrides,
            rerun_overrides(self._run.run_id, self._run.root.absolute(), job.job_num, job.output_dir),
        )

    def first_attempt(self, job_num: int, overrides: Sequence[str]) -> Command:
        """The command that runs a job that never started."""
        directory = self._run.root.absolute() if self._run.mode == "RUN" else None
        return self._one(
            job_num, overrides, rerun_overrides(self._run.run_id, self._run.root.absolute(), job_num, directory)
        )

    def new_run(self, job: JobRecord) -> Command:
        """The command that runs what a job ran as a single run with an output directory of its own."""
        return self._one(job.job_num, job.task_overrides, ["hydra.mode=RUN"])

    def sweep(self, job_nums: Sequence[int], onwards: int | None = None) -> Command:
        """The command that runs jobs as one sweep again, by the launcher that the sweep used, with their numbers.

        Args:
            job_nums: which jobs; the app leaves the others out.
            onwards: from where on all jobs are among them; None if they end.

        Raises:
            NotRecordedError: if it is no sweep, a value is secret, or the sweep would be in another order.
            ValueError: if an override that is to be added would change the jobs' numbers, or there are too many of them.
        """
        if self._run.mode == "RUN":
            raise NotRecordedError(
                f"The run in {self._run.root} is a single run, which no launcher starts: leave --launcher out."
            )
        overrides = self._sweep_overrides()
        hidden = {_key(override) for override in overrides if is_marked(override)}
        several = {_key(override): override for override in overrides if _is_several(override)}
        for key, added in self._added.items():
            if key in several or (key not in hidden and _is_several(added)):
                raise ValueError(
                    f"{added} would change which job of the sweep has which number"
                    + (f", as it takes the place of {several[key]}" if key in several else "")
                    + ": leave it or --launcher out."
                )
        numbers = joined_numbers(job_nums, onwards=onwards)
        if len(numbers) > MAX_NUMBERS:
            raise ValueError(f"{len(job_nums)} jobs are too many to be named in one command: leave --launcher out.")
        again = sweep_again_overrides(self._run.run_id, self._run.root.absolute(), numbers)
        return dataclasses.replace(self._command(tuple(job_nums), overrides, again), onwards=onwards)

    def _sweep_overrides(self) -> list[str]:
        """What the sweeper got; what the config said at that time in `hydra.sweeper.params`, it may no longer say."""
        given = words_of(self._run.facts.get("overrides"))
        planned = words_of(self._run.facts.get("planned_overrides"))
        in_config = planned[: max(len(planned) - len(given), 0)]
        overrides = [*(override for override in in_config if not is_marked(override)), *(planned[len(in_config) :] or given)]
        if any("shuffle" in override for override in overrides):
            raise NotRecordedError("The sweep was shuffled, and would be in another order: leave --launcher out.")
        return overrides

    def _one(self, job_num: int, overrides: Iterable[str], hydra_overrides: Iterable[str]) -> Command:
        for added in self._added.values():
            if _is_several(added):
                raise ValueError(f"{added!r} stands for several jobs, and each command runs one.")
        return self._command((job_num,), overrides, hydra_overrides)

    def _command(self, job_nums: tuple[int, ...], overrides: Iterable[str], hydra_overrides: Iterable[str]) -> Command:
        given, added = [], dict(self._added)
        for override in (*overrides, *self._hydra_overrides):
            key = _key(override)
            if key not in self._added:
                given.append(override)
            elif key in added:  # the first of several with that key: it stands where it stood
                prefix = "" if added[key][0] in "+~" else override[: len(override) - len(override.lstrip("+"))]
                given.append(prefix + added.pop(key))
        secret = [_key(override) for override in given if is_marked(override)]
        if secret:
            what = f"Job {job_nums[0]}" if len(job_nums) == 1 else "The sweep"
            values = " ".join(f"{key}=VALUE" for key in secret)
            raise NotRecordedError(
                f"{what} was given {' and '.join(secret)}, and secret "
                f"values are not recorded. Add them behind the path: {values}"
            )
        return Command(job_nums, (*self._start, *given, *added.values(), *hydra_overrides), self._cwd)


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
    return str(parsed.get_key_element()).lstrip("+~")


def _is_several(override: str) -> bool:
    return not is_marked(override) and read_override(override).is_sweep_override()


def _options(arguments: Sequence[str]) -> list[str]:
    """The options of a Hydra app that choose its config."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            parsed, _ = get_args_parser().parse_known_args(arguments)
    except SystemExit as error:  # it asks for Hydra's version, or an option has no value: no run starts like that
        raise NotRecordedError(f"The command on record starts no run: {shlex.join(arguments)}") from error
    names = ("config_path", "config_name", "config_dir")
    return [word for name in names if (given := getattr(parsed, name)) for word in (f"--{name.replace('_', '-')}", given)]


def words_of(fact: Any) -> list[str]:
    """The words of a fact that is a list; none where it is something else."""
    return [as_text(word) for word in fact] if isinstance(fact, list) else []
