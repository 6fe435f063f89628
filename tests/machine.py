"""A machine whose processes do as they are told, in the place of psutil."""

import contextlib
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any


class Error(Exception):
    """As psutil's."""


class NoSuchProcess(Error):  # noqa: N818  psutil's name
    """As psutil's."""


class AccessDenied(Error):  # noqa: N818  psutil's name
    """As psutil's."""


class FakeProcess:
    """One process of a `Machine`; it can be asked for everything but its CPU time."""

    def __init__(self, machine: "Machine", pid: int, parent: int) -> None:
        self.machine = machine
        self.pid = pid
        self.parent = parent
        self.written = 0
        self.denied = False
        self.when_read = list[Any]()

    @contextlib.contextmanager
    def oneshot(self) -> Iterator[None]:
        """Does what is to happen while it is read, and fails if it is gone."""
        yield
        while self.when_read:
            self.when_read.pop()()

    def ppid(self) -> int:
        """Who started it."""
        return self._there().parent

    def children(self, *, recursive: bool) -> list["FakeProcess"]:
        """All that it and its children have started."""
        own = [process for process in self.machine.processes.values() if process.parent == self.pid]
        return [*own, *(child for process in own for child in process.children(recursive=recursive))]

    def cpu_times(self) -> Any:
        """Nothing: the calling process's CPU time is real."""
        return SimpleNamespace(user=0.0, system=0.0)

    def memory_info(self) -> Any:
        """A thousand bytes."""
        self._there()
        return SimpleNamespace(rss=1000)

    def num_threads(self) -> int:
        """Two."""
        return 2

    def io_counters(self) -> Any:
        """What it and its ended children have written."""
        self._there()
        if self.denied:
            raise AccessDenied
        return SimpleNamespace(read_bytes=0, write_bytes=self.written)

    def _there(self) -> "FakeProcess":
        if self.pid not in self.machine.processes:
            raise NoSuchProcess(self.pid)
        return self


class Machine:
    """Its processes: 1 is init, and the calling process has its own pid."""

    Error, NoSuchProcess, AccessDenied = Error, NoSuchProcess, AccessDenied

    def __init__(self) -> None:
        self.processes: dict[int, FakeProcess] = {}
        self.own = self.start(os.getpid(), 1)

    def start(self, pid: int, parent: int) -> FakeProcess:
        """Starts a process."""
        self.processes[pid] = FakeProcess(self, pid, parent)
        return self.processes[pid]

    def end(self, pid: int, *, waited_for: bool = True) -> None:
        """Ends a process; its parent inherits what it counted, if it waits for it. Its children go to init."""
        gone = self.processes.pop(pid)
        if waited_for and gone.parent in self.processes:
            self.processes[gone.parent].written += gone.written
        for process in self.processes.values():
            if process.parent == pid:
                process.parent = 1

    def pids(self) -> list[int]:
        """All of them."""
        return list(self.processes)

    def Process(self, pid: int | None = None) -> FakeProcess:  # noqa: N802  psutil's name
        """One of them; the calling one if no pid is given."""
        if pid is None:
            return self.own
        if pid not in self.processes:
            raise NoSuchProcess(pid)
        return self.processes[pid]
