"""Starts the process that tells people of a run, and waits for its last word; see `notifier`."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hydra_callback_kit.trackers.errand import Errand

_PROGRAM: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from hydra_callback_kit.trackers.notifier import main
main()
"""
_ALONE: Final = 'exec 3<&0; "$@" <&3 3<&- &'
"""What a shell does so that the process is nobody's child: who waits for children, or counts them, does not see it."""


class NotifierProcess:
    """The process.

    Args:
        errand: what it is to do.
        complain: is told what could not be sent: where to, and why not; called in another thread.

    Raises:
        OSError: if it cannot be started.
        subprocess.SubprocessError: the same.
    """

    def __init__(self, errand: Errand, complain: Callable[[str, str], None]) -> None:
        self._complain = complain
        theirs, self._to_it = os.pipe()
        from_it, answers = os.pipe()
        try:
            _start(theirs, answers)
        except BaseException:
            os.close(self._to_it)
            os.close(from_it)
            raise
        finally:
            os.close(theirs)
            os.close(answers)
        self._pipe = _identity(self._to_it)
        self._tell(json.dumps(errand._asdict()))
        self._reader = threading.Thread(
            target=self._listen, args=(from_it,), name="hydra_callback_kit notifier", daemon=True
        )
        self._reader.start()

    def ends(self, timeout_s: float) -> bool:
        """Says that the run has ended, and waits for the last message.

        Args:
            timeout_s: how long, in seconds.

        Returns:
            Whether it was done in that time.
        """
        if self._to_it >= 0:
            self._tell("ended")
            if _identity(self._to_it) == self._pipe:
                os.close(self._to_it)
            self._to_it = -1
        self._reader.join(timeout_s)
        return not self._reader.is_alive()

    def _tell(self, line: str) -> None:
        # an app that has closed all files may have opened others by the same number
        if _identity(self._to_it) == self._pipe:
            with contextlib.suppress(OSError):  # it is gone
                os.write(self._to_it, line.encode("utf-8") + b"\n")

    def _listen(self, from_it: int) -> None:
        with contextlib.suppress(OSError, ValueError), open(from_it, encoding="utf-8") as answers:
            for line in answers:
                answer = json.loads(line)
                self._complain(answer["url"], answer["why_not"])


def _start(stdin: int, stdout: int) -> None:
    """Starts it, in a session of its own: Ctrl-C and a closed terminal are the run's."""
    command = [sys.executable, "-I", "-c", _PROGRAM, json.dumps(_places())]
    if os.name == "posix":
        command = ["/bin/sh", "-c", _ALONE, "sh", *command]
        subprocess.run(  # noqa: S603  our own program
            command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, start_new_session=True, check=True
        )
    else:
        subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL)  # noqa: S603  the same


def _places() -> list[str]:
    """Where it finds modules: as the app does, but those beside the app, which may have Python's own names, come last."""
    beside = {"", str(Path.cwd()), str(Path(sys.argv[0] or ".").resolve().parent)}
    known = [place for place in map(str, sys.path) if place]
    return [place for place in known if place not in beside] + [place for place in known if place in beside]


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino
