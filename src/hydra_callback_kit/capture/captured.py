"""The capture of what a process writes to stdout and stderr, from its beginning to its end."""

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from hydra_callback_kit.capture.appending import open_to_append
from hydra_callback_kit.capture.asking import Channel, Missing, Reading
from hydra_callback_kit.capture.descriptors import Descriptor, is_standard, pipe
from hydra_callback_kit.capture.streams import flush_streams

STDOUT: Final = 1
STDERR: Final = 2

_PIPE_SIZE: Final = 1 << 20
"""Bytes that the job can write before it waits for the reading process, where the system allows it."""


class Capture:
    """Takes what reaches stdout and stderr, until it is ended.

    Args:
        paths: the files, by the descriptor whose output goes there; both may have the same.
        title: a line for files that have something in them already.
        set_aside: called with what lies in the place of a file and is none.
        tee: whether it goes where it went before, too.

    Attributes:
        begins: at which of its bytes each file begins to hold what is captured; those of descriptors that are closed are
            not there.
        closed: the descriptors that were closed when the process was started, or have been since: nothing of them is taken.
        pid: the process.

    Raises:
        OSError: if it cannot be done; then all is as it was.
    """

    def __init__(self, paths: Mapping[int, Path], title: str, set_aside: Callable[[Path], object], *, tee: bool) -> None:
        self.pid = os.getpid()
        self.begins: dict[Path, int] = {}
        self._reading: Reading | None = None
        self._before: dict[int, Descriptor] = {}
        self._placed: dict[int, Descriptor] = {}
        numbers = [number for number in paths if is_standard(number)]
        self.closed = [number for number in paths if number not in numbers]
        flush_streams()
        with contextlib.ExitStack() as only_here:
            try:
                files: dict[Path, Descriptor] = {}
                for path in dict.fromkeys(paths[number] for number in numbers):
                    files[path], self.begins[path] = open_to_append(path, title, set_aside)
                    only_here.callback(files[path].close)
                self._before = {number: Descriptor.copy_of(number) for number in numbers}
                placed = {number: files[paths[number]] for number in numbers}
                if tee and numbers:
                    placed = self._through_pipes(placed, only_here)
                self._placed = placed
                for number in numbers:
                    placed[number].put_on(number)
            except BaseException:
                self.end()
                raise

    def _through_pipes(self, files: Mapping[int, Descriptor], only_here: contextlib.ExitStack) -> dict[int, Descriptor]:
        """The ends of pipes for stdout and stderr: one pipe, which keeps the order, if both lead to the same places."""
        channels: list[Channel] = []
        ends: dict[int, Descriptor] = {}
        for number, file in files.items():
            same = next((other for other in ends if self._lead_alike(other, number, files)), None)
            if same is not None:
                ends[number] = ends[same]
                continue
            reads, ends[number] = pipe()
            only_here.callback(reads.close)
            only_here.callback(ends[number].close)
            _widen(reads)
            channels.append(Channel(reads, file, self._before[number]))
        self._reading = Reading(channels)
        return ends

    def _lead_alike(self, one: int, other: int, files: Mapping[int, Descriptor]) -> bool:
        return files[one] is files[other] and self._before[one].leads_where(self._before[other].number)

    def end(self) -> Missing | None:
        """Puts the descriptors back, and waits until all that was written is where it belongs.

        A descriptor that the job has closed, or made lead elsewhere, is left as it is.

        Returns:
            What is missing; None if the reading process has not answered.
        """
        flush_streams()
        for number, before in self._before.items():
            placed = self._placed.get(number)
            if placed is not None and placed.leads_where(number) and before.is_there:
                before.put_on(number)
            before.close()
        self._before.clear()
        reading, self._reading = self._reading, None
        return Missing() if reading is None else reading.finish()


def _widen(end: Descriptor) -> None:
    import fcntl  # noqa: PLC0415  not on Windows, where nothing is captured

    with contextlib.suppress(OSError, AttributeError):  # not on macOS; and there is a limit to it for each user
        fcntl.fcntl(end.number, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
