"""The process that takes what a job writes: it appends it to files, and passes it on to where it went without us.

It is a script, and imports nothing of this package: it has to be there in a moment. It is no child of the job's, which would
otherwise meet it where it waits for its own children. It reads until nobody can write any more, so that what reached a
descriptor is kept, and shown, if the job is killed, or has left children behind.

Its arguments are descriptors: where it is asked whether it has come to the end, where it answers, and for each pipe the
pipe, the file, and where to pass it on to.
"""

import contextlib
import errno
import os
import select
import signal
import sys

TYPE_CHECKING = False  # as type checkers know it, without `typing`
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

BLOCK: "Final" = 1 << 18
"""Bytes that are read at once."""
HELD: "Final" = 1 << 20
"""Bytes that a pipe can hold at most."""


class Pipe:
    """One pipe, and where that goes which comes out of it.

    Args:
        source: the end of the pipe to read from.
        file: where it is kept.
        shown: where it is passed on to.

    Attributes:
        not_kept: the number of the error for which something is missing in the file; 0 for none.
        not_shown: the same of what was to be passed on.
    """

    def __init__(self, source: int, file: int, shown: int) -> None:
        self.source = source
        self.not_kept = 0
        self.not_shown = 0
        self._file = file
        self._shown = shown
        self._hung_up = False

    def take(self) -> int:
        """Takes what is there, and waits for it if there is nothing.

        Returns:
            How many bytes; 0 once nobody can write into the pipe, or nobody reads what would be passed on: then the job is
            told, as without us, by its next write.
        """
        block = os.read(self.source, BLOCK)
        self.not_kept = _write(self._file, block) or self.not_kept
        if not self._hung_up:
            failed = _write(self._shown, block)
            self.not_shown = failed or self.not_shown
            self._hung_up = failed in (errno.EIO, errno.EBADF)  # the terminal was closed
            if failed == errno.EPIPE:
                self.not_shown = 0
                return 0
        return len(block)


def _write(descriptor: int, block: bytes) -> int:
    """Writes all of it. Returns the number of the error, 0 for none."""
    rest = memoryview(block)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
        except OSError as error:
            return error.errno or errno.EIO
    return 0


class Reader:
    """Reads pipes until nobody can write into them.

    Args:
        asked: a byte comes in here once the job is over. It is answered once all is kept and shown that was written before:
            what children that outlive the job write after it makes nobody wait.
        answers: where the answer goes: the numbers of the errors, of what was not kept and of what was not shown.
        pipes: the pipes.
    """

    def __init__(self, asked: int, answers: int, pipes: "Sequence[Pipe]") -> None:
        self._asked = asked
        self._answers = answers
        self._pipes = pipes
        self._open = {pipe.source: pipe for pipe in pipes}
        self._poll = select.poll()
        for source in (asked, *self._open):
            self._poll.register(source, select.POLLIN)

    def read(self) -> None:
        """Reads, and answers once."""
        is_over = False
        while self._open or not is_over:
            ready = [source for source, _ in self._poll.poll()]
            for source in ready:
                if source in self._open:
                    self._take(self._open[source])
            if self._asked in ready:
                is_over = True
                self._poll.unregister(self._asked)
                if os.read(self._asked, 1):  # else the job was killed, or has closed its descriptors
                    for pipe in list(self._open.values()):
                        self._take_what_is_held(pipe)
                    self._answer()

    def _take(self, pipe: Pipe) -> int:
        taken = pipe.take()
        if not taken:
            self._poll.unregister(pipe.source)
            os.close(pipe.source)
            del self._open[pipe.source]
        return taken

    def _take_what_is_held(self, pipe: Pipe) -> None:
        """What is in a pipe now, and not what comes in meanwhile for ever."""
        poll = select.poll()
        poll.register(pipe.source, select.POLLIN)
        left = HELD
        while left > 0 and poll.poll(0):
            taken = self._take(pipe)
            left = left - taken if taken else 0

    def _answer(self) -> None:
        kept = next((pipe.not_kept for pipe in self._pipes if pipe.not_kept), 0)
        shown = next((pipe.not_shown for pipe in self._pipes if pipe.not_shown), 0)
        with contextlib.suppress(OSError):  # the job was killed while it waited
            os.write(self._answers, b"%d %d\n" % (kept, shown))


def main(arguments: "Sequence[str]") -> None:
    """Leaves the process that has started it, and reads.

    Args:
        arguments: see the module.
    """
    for number in signal.valid_signals() - {signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):  # the C library's own
            signal.signal(number, signal.SIG_IGN)  # a batch system's are for the job: the end of its output is the end
    if os.fork():
        os._exit(0)
    asked, answers, *pipes = map(int, arguments)
    Reader(asked, answers, [Pipe(*pipes[at : at + 3]) for at in range(0, len(pipes), 3)]).read()


if __name__ == "__main__":
    main(sys.argv[1:])
