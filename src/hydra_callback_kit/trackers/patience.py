"""Never fatal: whatever a tracker does, or does not do, costs the job no more than the time that it is given.

Each request is made in a thread of its own, which nobody waits for longer than said. What went wrong is said once in a
process. A tracker that did not answer in time is not asked again in that run: neither by this process, nor by the jobs that
it starts from then on. One that was given more than it can take in that time, and takes it in, is asked again; what is left
then goes on beside the jobs, as long as the process lives. The record has everything, and `hydra-callback-kit sync` sends it
later.
"""

import contextlib
import contextvars
import logging
import os
import shlex
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from omegaconf import DictConfig

from hydra_callback_kit.configs.identity import identify_run
from hydra_callback_kit.configs.known_secrets import redaction_of
from hydra_callback_kit.configs.notes import notes_of
from hydra_callback_kit.configs.redaction import Redaction
from hydra_callback_kit.journal.errors import error_of
from hydra_callback_kit.journal.safe_log import SafeLogger
from hydra_callback_kit.trackers.credentials import learn_credentials, without_credentials

Answer = TypeVar("Answer")

MAX_REASON: Final = 500
"""Characters of an error that the log is told."""

_GAVE_UP: Final = "gave_up_on"
"""The note that names the trackers that are not to be asked any more."""


_SAYS: Final = (
    "%s could not be told of %s: %s. The job is not affected, and all is on record. To send what is missing there, type: %s"
)


class Tracker(NamedTuple):
    """A tracker.

    Attributes:
        name: what `sync --to` takes, and what the fact of a run or job is called that says what was sent: `mlflow`.
        title: what people call it: `MLflow`.
        variables: what the names of its library's environment variables begin with: `MLFLOW_`.
        loggers: the loggers, with all below them, that its library complains to.
        takes_address: whether `sync` takes the address where it is.
        is_address: whether `sync --to` takes that address itself.
        says: how the log is told what could not be sent: of the title, what it was, why, and the command that sends it.
    """

    name: str
    title: str
    variables: tuple[str, ...]
    loggers: tuple[str, ...]
    takes_address: bool = False
    is_address: bool = False
    says: str = _SAYS


class Patience:
    """How one process asks a tracker about one run.

    Args:
        tracker: the tracker.
        root: the run's directory.
        redaction: takes what is secret out of what is said.
        log: is told what went wrong.
        gave_up_on: the names of the trackers that are not to be asked any more; it is added to.
        address: where the tracker is, for the command that sends what is missing.

    Attributes:
        redaction: the same.
    """

    def __init__(
        self,
        tracker: Tracker,
        root: Path,
        redaction: Redaction,
        log: SafeLogger,
        gave_up_on: list[str],
        address: str | None = None,
    ) -> None:
        self._tracker = tracker
        self._root = root
        self._address = address
        self.redaction = redaction
        self._log = log
        self._gave_up_on = gave_up_on
        self._has_complained = False
        self._answered_s = 0.0

    @property
    def gave_up(self) -> bool:
        """Whether nothing is asked any more: somebody has waited long enough once."""
        return self._tracker.name in self._gave_up_on

    def ask(self, what: str, request: Callable[[], Answer], timeout_s: float, *, is_local: bool = False) -> Answer | None:
        """Makes a request and waits for its answer, but not for long. Raises nothing, Ctrl-C excepted.

        The request may do anything: raise, hang, call `sys.exit`. It runs in another thread: what the library keeps by
        thread, such as MLflow's active run, is not the caller's there. Import the library before: an import takes its time
        with the best of trackers.

        Args:
            what: what it is, for the log: `the start of job 3`.
            request: what is done.
            timeout_s: how long the caller waits, in seconds.
            is_local: whether it stays on this machine, so that it is made of a tracker that is not asked any more, too.

        Returns:
            The answer; None if there is none. Then it has been said, and there is nothing else to be done.
        """
        if self.gave_up and not is_local:
            return None
        _quiet(self._tracker.loggers)
        thread, started_s = _Request(request), time.monotonic()
        try:
            thread.start()
        except RuntimeError as error:  # the user's limit of threads, or the interpreter ends
            self.complain(what, error)
            return None
        thread.join(timeout_s)
        if thread.is_alive() and self._answered_s > started_s:
            self.complain(what, f"not all was sent within {timeout_s:g} s")
        elif thread.is_alive():
            if not is_local:
                self._gave_up_on.append(self._tracker.name)
            self.complain(what, f"no answer within {timeout_s:g} s, and no more is sent by this process")
        elif thread.error is not None:
            self.complain(what, thread.error)
        answer: Answer | None = thread.answer
        return answer

    def was_answered(self) -> None:
        """Says that the tracker has just taken something in: however much there is left, it does not hang."""
        self._answered_s = time.monotonic()

    def in_the_background(self, request: Callable[[], object]) -> None:
        """Does something beside the job, which ends with the process; nobody waits for it.

        Args:
            request: what is done. What it raises is nobody's to see.
        """
        _quiet(self._tracker.loggers)
        with contextlib.suppress(RuntimeError):  # as above
            _Request(request).start()

    def complain(self, what: str, why: BaseException | str) -> None:
        """Says that something could not be sent, once in a process.

        Args:
            what: what it was, as above.
            why: what went wrong.
        """
        reason = self.hide(why if isinstance(why, str) else error_of(why).headline)[:MAX_REASON]
        if self._has_complained:
            self._log.debug("%s: %s: %s", self._tracker.title, what, reason)
            return
        self._has_complained = True
        address = None if self._address is None else self.hide(self._address)
        to = address if self._tracker.is_address and address is not None else self._tracker.name
        command = ["hydra-callback-kit", "sync", str(self._root), "--to", to]
        if self._tracker.takes_address and address is not None:
            command += ["--address", address]
        self._log.caution(self._tracker.says, self._tracker.title, what, reason, shlex.join(command))

    def hide(self, text: str) -> str:
        """A text without credentials, and without the secrets that are known of the run."""
        return self.redaction.of_text(without_credentials(text))


def patience_of(config: DictConfig, tracker: Tracker, log: SafeLogger, *addresses: str) -> Patience:
    """How this process asks a tracker about the run of a config: the same for all hooks.

    Args:
        config: the config that Hydra handed to any hook.
        tracker: the tracker.
        log: the callback's logger.
        addresses: where the tracker is, as the user gave it: what is secret in it is hidden from here on. The first one is
            where it is asked.
    """
    run = identify_run(config)
    key = os.getpid(), run.run_id, tracker.name
    if key not in _known:
        redaction = redaction_of(config)
        learn_credentials(redaction, tracker.variables, addresses)
        # what the process that starts the run adds to it reaches the jobs
        given = notes_of(config).setdefault(_GAVE_UP, [])
        _known[key] = Patience(tracker, run.root, redaction, log, given, *addresses[:1])
    return _known[key]


_known: Final[dict[tuple[int, str, str], Patience]] = {}
"""By process, run and tracker."""


class _Request(threading.Thread):
    """A request in a thread of its own, which ends with the process."""

    def __init__(self, request: Callable[[], Any]) -> None:
        super().__init__(name="hydra_callback_kit tracker", daemon=True)
        self.answer: Any = None
        self.error: BaseException | None = None
        self._request = request
        self._context = contextvars.copy_context()

    def run(self) -> None:
        try:
            self._context.run(_is_asked.set, True)
            self.answer = self._context.run(self._request)
        except BaseException as error:  # noqa: BLE001  libraries call `sys.exit`, too
            self.error = error


_is_asked: Final[contextvars.ContextVar[bool]] = contextvars.ContextVar("hydra_callback_kit_is_asked", default=False)
"""Set in a request, and in what it starts: threads of our own, and what an event loop does for it."""


class _NotOurRequests(logging.Filter):
    """Keeps what a library says in our requests from the log, where we say it; what it says to the app passes."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  logging's own signature
        return not _is_asked.get()


_NOT_OURS: Final = _NotOurRequests()


def _quiet(names: tuple[str, ...]) -> None:
    loggers = logging.Logger.manager.loggerDict
    for name in list(loggers):
        if name.startswith(names) and isinstance(loggers[name], logging.Logger):
            loggers[name].addFilter(_NOT_OURS)  # type: ignore[union-attr]  # no placeholder: it was looked at
