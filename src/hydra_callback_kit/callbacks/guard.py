"""Keeps the promise that a callback never breaks the user's job."""

import errno
import functools
import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

log = logging.getLogger("hydra_callback_kit")

Hook = TypeVar("Hook", bound=Callable[..., None])

_ADVICE: Final = {
    errno.ENOSPC: "Free some space on the disk.",
    errno.EDQUOT: "Free some of your disk quota.",
    errno.EFBIG: "Raise the limit on file sizes.",
    errno.EACCES: "Make the directory writable, or choose another one.",
    errno.EPERM: "Make the directory writable, or choose another one.",
    errno.EROFS: "The file system is read-only: choose another directory.",
    errno.ENOENT: "The directory has vanished: choose one that stays.",
}

_reported: set[tuple[str, str, type, str]] = set()


def never_breaks_the_job(hook: Hook) -> Hook:
    """Decorates a hook: what it raises is logged once, and the job goes on.

    Hydra itself turns an exception of a hook into a warning, which Python shows once per place. An exception that is meant
    to stop the run (a `SystemExit`) passes.

    Args:
        hook: a method of a callback.

    Returns:
        The method, which raises no `Exception`.
    """

    @functools.wraps(hook)
    def guarded(self: object, *args: Any, **kwargs: Any) -> None:
        try:
            hook(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  whatever it is, the job goes on
            report(f"{type(self).__name__}.{hook.__name__}", error)

    return cast("Hook", guarded)


def report(what: str, error: Exception) -> None:
    """Logs that a callback could not do its work, once for each reason and process.

    Args:
        what: the callback and its hook.
        error: what went wrong.
    """
    reason = what, type(error).__name__, type(error), str(getattr(error, "errno", ""))
    if reason in _reported:
        return
    _reported.add(reason)
    if isinstance(error, OSError):
        advice = _ADVICE.get(error.errno or 0, "Look at the path it names.")
        log.error("%s could not do its work: %s. The job is not affected. %s", what, error, advice)
    else:
        log.error("%s failed. The job is not affected. Please report this as a bug.", what, exc_info=error)
