"""A run that goes on without the terminal it was started on: the command once more, as a process of its own.

The process that the user has started waits until the other one has launched its first job, shows what that prints, and ends.
What the other one refuses is refused here, with its words and its exit code.
"""

import contextlib
import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Final

from omegaconf import DictConfig

from hydra_callback_kit.configs.directories import absolute_directory, hand_on_directory, resolved_directory
from hydra_callback_kit.configs.given_overrides import are_from_python
from hydra_callback_kit.configs.identity import is_another_attempt, jobs_of_sweep_again
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.hooks.abort import abort
from hydra_callback_kit.hooks.leaving_hydra import runs_on_the_stack
from hydra_callback_kit.journal.command_line import is_as_typed
from hydra_callback_kit.journal.format import CONFIGS, JOURNAL_DIR, JournalNotFoundError
from hydra_callback_kit.journal.life import launcher_of
from hydra_callback_kit.journal.output_file import exit_code_file, new_output_file, output_file_of, starting_file
from hydra_callback_kit.journal.queue import submitit_folders
from hydra_callback_kit.journal.rank import JOB_VARIABLE, rank_of_this_process
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.safe_log import SafeLogger, to_stderr
from hydra_callback_kit.journal.writer import utc_now
from hydra_callback_kit.launching.detached import (
    SHELL,
    DetachedProcess,
    HandedOn,
    handed_on_to_this_process,
    is_within_detached,
)

IS_DETACHED: Final = "detached"
"""The note of a run that has no terminal: the name of the file that its output goes to."""

_SUBMITS_WITHIN_S: Final = 30.0
"""How long Slurm is waited for to take the first jobs, or to refuse them."""

_INTERRUPTED: Final = 130
"""As a shell has it."""

_BATCH_VARIABLES: Final = {"SLURM_JOB_ID": "Slurm", "PBS_JOBID": "PBS", "LSB_JOBID": "LSF"}

log = SafeLogger("hydra_callback_kit.detach_callback")


def leave_the_terminal(config: DictConfig, output: str) -> bool:
    """Starts the command once more without a terminal, and ends this process once a job is launched there.

    Args:
        config: the config of `on_run_start` or `on_multirun_start`; nothing of it is recorded yet.
        output: what the file is called that the output goes to.

    Returns:
        False: this process is to run what it was started for. It was detached, or it cannot be; then a warning says why.

    Raises:
        AbortRun: where the other process runs, with exit code 0; where that has ended without a job, with its exit code.
    """
    if is_another_attempt(config) or jobs_of_sweep_again(config) is not None:
        return False  # `rerun` waits for it
    told = handed_on_to_this_process()
    if told is not None:
        _be_the_detached_one(config, told)
        return False
    why = _why_not(config)
    if why:
        log.caution("Not detached: %s. The run keeps this terminal.", why)
        return False
    _detach(config, output)
    return True


def show_lines_as_they_come() -> None:
    """Has each line that is printed written at once, as on a terminal."""
    with contextlib.suppress(AttributeError, OSError, ValueError):  # an app may have closed or replaced it
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # of what an app has put there it may have none


def _be_the_detached_one(config: DictConfig, told: HandedOn) -> None:
    key = _key(config)
    show_lines_as_they_come()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's shell has ignored it: `stop` begins with it
    if key == told.key and not _taken:  # a second run of the same process has a directory of its own
        _taken.append(True)
        hand_on_directory(config, key, told.directory)
        notes_of(config)[IS_DETACHED] = told.output


_taken: Final[list[bool]] = []


def _why_not(config: DictConfig) -> str:
    """Why this process cannot be detached; empty if it can."""
    rank = rank_of_this_process()
    batch = next((name for variable, name in _BATCH_VARIABLES.items() if os.environ.get(variable)), None)
    within = JOB_VARIABLE in os.environ or is_within_detached() or runs_on_the_stack() > 1
    reasons = {
        "that needs Linux or macOS": os.name != "posix" or not SHELL.exists(),
        f"this is one of {(rank and rank.size) or 'several'} ranks, and what has started them waits for them": rank
        is not None,
        f"this is a batch job of {batch}, which ends once its script does": batch is not None,
        "a job of another run has started it, and waits for it": within,
        "it is the first process of its container, which ends with it": os.getpid() == 1,
        "it was started from Python code, a notebook, a debugger or the like, not by a command of its own": (
            runs_on_the_stack() == 0 or are_from_python(config) or not sys.executable or not is_as_typed()
        ),
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _key(config: DictConfig) -> str:
    return "hydra.sweep.dir" if notes_of(config).get("mode") == "MULTIRUN" else "hydra.run.dir"


def _detach(config: DictConfig, output: str) -> None:
    from hydra_callback_kit.hooks import gates  # noqa: PLC0415  it is a gate itself

    key = _key(config)
    directory = resolved_directory(config, key)
    root = absolute_directory(config, directory)
    gates.refuse(config)  # whatever happens now, this process runs nothing
    made: list[Path] = []
    file: Path | None = None
    since = utc_now()
    try:
        made = [path for path in (root / JOURNAL_DIR, root, *root.parents) if not path.exists()]
        root.mkdir(parents=True, exist_ok=True)
        file = new_output_file(root, output)
        words = [sys.executable, *sys.orig_argv[1:]]
        process = DetachedProcess(words, config.hydra.runtime.cwd, file, HandedOn(key, directory, file.name))
    except OSError as error:
        _clear_away(file, made)
        abort(config, f"The run cannot be detached: {error}. Leave detach_callback out to start it here.", log=log)
    try:
        code = process.wait_for_launch(_show, lambda: _is_handed_over(config, root, since), _SUBMITS_WITHIN_S)
    except KeyboardInterrupt:
        process.interrupt()
        _clear_away(file, made)
        abort(config, "Interrupted before it launched a job: nothing runs on.", _INTERRUPTED, log=log)
    except BaseException:
        process.interrupt()
        _clear_away(file, made)
        raise
    starting_file(file).unlink(missing_ok=True)
    if code is not None:
        _clear_away(file, made)
        abort(config, f"Nothing runs on: it ended with exit code {code} before it launched a job.", code, log=log)
    _say_where(directory)
    abort(config, _what_to_type(directory, key), 0, log=log)


def _show(output: bytes) -> None:
    text = output.decode("utf-8", "replace")
    if text:
        to_stderr(text.removesuffix("\n"))


def _is_handed_over(config: DictConfig, root: Path, since: str) -> bool:
    """Slurm may refuse jobs as they are submitted; other launchers have them then."""
    launcher = config.hydra.get("launcher")
    target = None if launcher is None else launcher.get("_target_")
    is_slurm = _key(config) == "hydra.sweep.dir" and launcher_of({"launcher_class": target}) == "submitit_slurm"
    return not is_slurm or bool(submitit_folders(root, since))


def _clear_away(file: Path | None, made: list[Path]) -> None:
    """Removes what was made for a run that did not start, unless something else lies there."""
    with contextlib.suppress(OSError):
        if file is not None:
            starting_file(file).unlink(missing_ok=True)
            if not _is_on_record(file):
                exit_code_file(file).unlink(missing_ok=True)
            file.unlink()
        for directory in made:
            directory.rmdir()


def _is_on_record(file: Path) -> bool:
    """Whether a run has said that its output goes there: one that had nothing left to launch."""
    with contextlib.suppress(OSError, JournalNotFoundError):
        return output_file_of(file.parent, read_run(file.parent, without=CONFIGS).facts) == file
    return False


def _say_where(directory: str) -> None:
    with contextlib.suppress(AttributeError, OSError, ValueError):  # nobody reads it
        sys.stdout.write(f"{directory}\n")
        sys.stdout.flush()


def _what_to_type(directory: str, key: str) -> str:
    what = "The sweep" if key == "hydra.sweep.dir" else "The run"
    commands = ("show --watch", "attach", "stop")
    lines = [f"  hydra-callback-kit {command} {shlex.quote(directory)}" for command in commands]
    return "\n".join([f"{what} goes on without this terminal. Watch it, read its output, end it:", *lines])
