"""Says that a callback could not do its work: once for each reason, with what to do about it."""

import errno
from typing import Final

from hydra_callback_kit.configs.directories import DirectoryNotKnownError
from hydra_callback_kit.hooks.facts import FactError
from hydra_callback_kit.journal.errors import message_of
from hydra_callback_kit.journal.format import JournalNotFoundError
from hydra_callback_kit.journal.safe_log import SafeLogger

log = SafeLogger("hydra_callback_kit")

_ADVICE: Final = {
    errno.ENOSPC: "Free some space on the disk.",
    errno.EDQUOT: "Free some of your disk quota.",
    errno.EFBIG: "Raise the limit on file sizes.",
    errno.EACCES: "Make the directory writable, or choose another one.",
    errno.EPERM: "Make the directory writable, or choose another one.",
    errno.EROFS: "The file system is read-only: choose another directory.",
    errno.ENOENT: "The directory has vanished: choose one that stays.",
}

_GUARD: Final = "hydra_callback_kit.hooks.guard"
_RECORDING: Final = "hydra_callback_kit.hooks.recording"
"""The modules that call the hooks of others."""

_reported: set[tuple[str, str, type, str]] = set()


def report(what: str, error: Exception) -> None:
    """Logs that a callback could not do its work, once for each reason and process. Never raises, whatever the error is.

    Args:
        what: the callback and its hook.
        error: what went wrong.
    """
    try:
        _report(what, error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  an exception is an object like any other: its own methods may raise anything
        log.error("%s failed. The job is not affected.", what)  # noqa: TRY400  its traceback cannot be made


def _report(what: str, error: Exception) -> None:
    if isinstance(error, DirectoryNotKnownError):
        return  # the user's, and Hydra is about to say so
    number = getattr(error, "errno", None)
    number = number if type(number) is int else 0
    reason = what, type(error).__name__, type(error), str(number)
    if isinstance(error, JournalNotFoundError):  # for all callbacks alike: no line of it could be written
        reason = str(error.root), "", type(error), ""
    if reason in _reported:
        return
    _reported.add(reason)
    if isinstance(error, JournalNotFoundError):
        if error.root.is_dir():  # who removes the run's directory does not want to be told what is missing there
            log.error("Nothing of the run could be recorded, so what is made of its record is missing from %s.", error.root)
    elif isinstance(error, OSError):
        advice = _ADVICE.get(number, "Look at the path it names.")
        log.error("%s could not do its work: %s. The job is not affected. %s", what, message_of(error), advice)
    elif isinstance(error, ImportError):
        log.error("%s could not do its work: %s. The job is not affected.", what, message_of(error))
    else:
        bug = " Please report this as a bug." if _is_ours(error) else ""
        log.error("%s failed. The job is not affected.%s", what, bug, exc_info=error)


def _is_ours(error: Exception) -> bool:
    """Whether it was raised in a line of this package: a user's callback, resolver or value makes mistakes of its own."""
    if isinstance(error, FactError):
        return False  # it says what somebody has called wrongly
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    module = "" if frames is None else str(frames.tb_frame.f_globals.get("__name__"))
    # a hook that does not take what it is called with fails where it is called
    return module.startswith("hydra_callback_kit.") and module not in (_GUARD, _RECORDING)
