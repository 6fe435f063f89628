"""The file of a job's samples: a row each, appended as they come."""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from hydra_callback_kit.journal.fingerprint import Fingerprint
from hydra_callback_kit.measure.samples import COLUMNS, Sample

_LOOKED_AT: Final = 200
"""How many bytes of a file's end tell whether it is as it was left: a row or two, in which a time stands."""
_FLAGS: Final = sum(getattr(os, flag, 0) for flag in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK"))


class FileTakenError(OSError):
    """Something else writes to the file of the samples."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"the job, or another one, writes to {path} itself; it is left alone, and the samples have no file")


class SampleFile:
    """A CSV file that samples are appended to, each row by one write, so that a job that is killed leaves what it had.

    A link is never followed, and nothing is written to what is not as it was left here.

    Args:
        directory: the job's output directory; one that has vanished is not made again.
        name: the file's name there, or an absolute path.
        make_room: called with the path before the file is made: afterwards nothing lies there.

    Attributes:
        fingerprint: that of what was written.
        is_taken: whether something else writes to the file.
    """

    def __init__(self, directory: Path, name: str, make_room: Callable[[Path], None]) -> None:
        self.fingerprint = Fingerprint()
        self._directory = directory
        self._path = directory / Path(name)
        self._make_room = make_room
        self._gpus = 0
        self._last = b""
        self.is_taken = False

    @property
    def has_rows(self) -> bool:
        """Whether the file has rows, and is not taken."""
        return self.fingerprint.size > 0 and not self.is_taken

    def append(self, samples: Sequence[Sample], gpus: int) -> None:
        """Writes rows, behind the header if they are the first.

        Args:
            samples: in the order of the rows.
            gpus: how many GPUs have columns; it counts for the first rows.

        Raises:
            FileTakenError: if the file is not as it was left here; from then on nothing is written.
            OSError: if they cannot be written; then none of them is there.
        """
        if self.is_taken:
            return
        if self.fingerprint.size:
            self._write([sample.cells(self._gpus) for sample in samples], self._as_it_was_left())
            return
        self._gpus = gpus
        header = [*COLUMNS, *(f"gpu{i}_{what}" for i in range(gpus) for what in ("percent", "memory_bytes"))]
        descriptor = self._made()
        try:
            self._write([header, *(sample.cells(gpus) for sample in samples)], descriptor)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise

    def _write(self, rows: list[list[str]], descriptor: int) -> None:
        text = "".join(f"{','.join(row)}\n" for row in rows).encode("ascii")
        try:
            if os.write(descriptor, text) != len(text):
                os.ftruncate(descriptor, self.fingerprint.size)  # half a row would spoil it, and the next may fit again
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            self.fingerprint.add(text)
            self._last = text[-_LOOKED_AT:]
        finally:
            os.close(descriptor)  # which may take long on a network file system

    def _made(self) -> int:
        if self._directory.is_dir():
            self._path.parent.mkdir(parents=True, exist_ok=True)
        self._make_room(self._path)
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666)

    def _as_it_was_left(self) -> int:
        status = self._path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size == self.fingerprint.size:
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | _FLAGS)
            os.lseek(descriptor, -len(self._last), os.SEEK_END)
            if os.read(descriptor, len(self._last)) == self._last:
                return descriptor
            os.close(descriptor)
        self.is_taken = True
        raise FileTakenError(self._path)
