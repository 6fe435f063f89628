"""The one way in which a callback stops a run: what it says to the user, to the log and to the record.

Hydra turns an ordinary exception of a hook into a warning. `SystemExit` passes, so the one type of ours is a `SystemExit`:

    SystemExit
    └── AbortRun
"""

import logging
import os
import sys
from typing import Any, NoReturn

from omegaconf import DictConfig, OmegaConf

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.hooks.job_recorder import record_job_aborted
from hydra_callback_kit.hooks.run_recorder import record_run_end, record_run_facts, record_run_start
from hydra_callback_kit.journal.errors import message_of
from hydra_callback_kit.journal.printable import printable
from hydra_callback_kit.journal.rank import is_worker
from hydra_callback_kit.journal.safe_log import SafeLogger, to_stderr

_log = SafeLogger("hydra_callback_kit.abort")


class AbortRun(SystemExit):
    """Stops a run from within a hook, without a traceback.

    Call `abort` rather than raise it: then the log and the record say so too.

    What it stops depends on the hook. In `on_run_start` and `on_multirun_start`: the whole run, before a job starts, under
    every launcher and on every version of Hydra; the app's exit code is `exit_code`. In `on_job_start`: that job. Under the
    basic launcher and joblib, those that have not begun do not run either (joblib may have begun some), and the exit code is
    `exit_code`. Under submitit the other jobs run; then the launcher raises an error of its own, with a traceback that holds
    the message, and the exit code is 1. Under Ray the other jobs run too, but Ray takes the job's end for a crash and starts
    it again, as often as `hydra.launcher.ray.remote.max_retries` says (by default three times); the exit code is 1. No end
    hook follows on Hydra 1.3; on Hydra 1.4 they do.

    Args:
        message: what the user is told.
        exit_code: the app's exit code where the exception reaches the end of the process.

    Attributes:
        message: what the user is told.
        exit_code: the app's exit code.
        code: as in `SystemExit`; for exit code 1 it is the message, which Python then prints to stderr.
    """

    __module__ = "hydra_callback_kit"  # the name it is imported by, in records and pickles

    ends_the_sweep = True
    """Where a launcher raises it, no job is started again."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message if exit_code == 1 else exit_code)
        self.message = message
        self.exit_code = exit_code

    def __str__(self) -> str:
        """The message, whatever the exit code."""
        return self.message

    def __reduce__(self) -> tuple[type["AbortRun"], tuple[str, int]]:
        """Workers send it home."""
        return type(self), (self.message, self.exit_code)


def abort(
    config: DictConfig,
    message: str,
    exit_code: int = 1,
    log: logging.Logger | SafeLogger = _log,
    cause: BaseException | None = None,
) -> NoReturn:
    """Stops the run or the job that a hook was called for.

    The message goes to stderr once, without a traceback, and to the log. The record of a job says that it failed by
    `hydra_callback_kit.AbortRun`; that of a run or sweep has the fact `aborted`, unless the exit code is 0.

    Args:
        config: the config of the hook: `on_run_start`, `on_multirun_start` or `on_job_start`.
        message: what the user is told; its first line may stand alone.
        exit_code: the app's exit code.
        log: the callback's logger.
        cause: the exception that it is about, if any; its traceback is logged at level DEBUG.

    Raises:
        AbortRun: always.
    """
    aborted = AbortRun(_without_secrets(config, message), exit_code)
    try:
        _tell(config, aborted, log)
    except Exception as error:  # noqa: BLE001  no disk and no stream that fails may let the run start
        _log.debug("What stopped the run could not be told everywhere: %s", message_of(error))
    if cause is not None:
        SafeLogger(log.name).debug("What it is about:", exc_info=cause)
    raise aborted


def _without_secrets(config: DictConfig, message: str) -> str:
    try:
        return redaction_of(config).of_text(message)
    except Exception:  # noqa: BLE001  a config that cannot be read stops no one from stopping
        return message


def _tell(config: DictConfig, aborted: AbortRun, log: logging.Logger | SafeLogger) -> None:
    message, exit_code = aborted.message, aborted.exit_code
    if not OmegaConf.is_missing(config.hydra.runtime, "output_dir"):  # only a job has one
        record_job_aborted(config, aborted)
    else:
        record_run_start(config)
        if exit_code != 0:
            if not identify_run(config).goes_on:  # what it has come to so far is on record
                record_run_facts(config, {"aborted": message})
            record_run_end(config)
    if is_worker():
        return  # rank 0 says it
    if exit_code != 0:
        _log_elsewhere(SafeLogger(log.name), message)
    if exit_code != 1:  # Python prints the message of a SystemExit that has one for its code
        to_stderr(message)


def _log_elsewhere(log: SafeLogger, message: str) -> None:
    """Who reads stderr need not read the same twice: on a terminal, or in a file that both streams go to."""

    def is_another(record: logging.LogRecord) -> bool:
        return record.getMessage() != printable(message)

    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, logging.StreamHandler)]
    same = [
        handler for handler in handlers if _place(sys.stderr) is not None and _place(handler.stream) == _place(sys.stderr)
    ]
    for handler in same:
        handler.addFilter(is_another)
    try:
        log.error("%s", message)
    finally:
        for handler in same:
            handler.removeFilter(is_another)


def _place(stream: Any) -> tuple[int, int] | None:
    """What a stream writes to; None for one that is closed, or that is no file."""
    try:
        status = os.fstat(stream.fileno())
    except (AttributeError, OSError, ValueError):  # the process may have been started without the stream, or have closed it
        return None
    return status.st_dev, status.st_ino
