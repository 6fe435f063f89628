"""The processes of a job and what they use together, counted right while children come and go."""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from hydra_callback_kit.measure.usage import cpu_seconds, io_bytes, process_ids, rss_bytes, thread_count

_PARENTS_INHERIT: Final = sys.platform != "win32"
"""Whether what a process has used turns up in its parent's counters once it has ended."""


@dataclass(frozen=True, slots=True)
class Before:
    """What the calling process had used when its job started.

    Attributes:
        cpu_s: CPU time, in seconds.
        read_bytes: bytes read; None if the platform does not tell without psutil.
        written_bytes: bytes written; the same.
        pids: the machine's processes; None if children do not count or the platform does not tell without psutil.
    """

    cpu_s: float
    read_bytes: int | None
    written_bytes: int | None
    pids: frozenset[int] | None

    @classmethod
    def now(cls, *, include_children: bool) -> "Before":
        """What it has used now, children that have ended included if they are counted at all."""
        return cls(cpu_seconds(ended_children=include_children), *io_bytes(), process_ids() if include_children else None)


@dataclass(frozen=True, slots=True)
class TreeUse:
    """What the processes of a job use at one moment. What is not known is None.

    Attributes:
        cpu_s: CPU seconds since the job's start.
        memory_bytes: the sum of the processes' resident memory: what two of them share counts twice.
        read_bytes: bytes read from storage since the job's start.
        written_bytes: bytes written to storage since the job's start.
        threads: the number of threads, without the one that samples.
        processes: the number of processes.
    """

    cpu_s: float | None
    memory_bytes: int | None
    read_bytes: int | None
    written_bytes: int | None
    threads: int | None
    processes: int | None


def use_of_this_process(before: Before, *, include_children: bool) -> TreeUse:
    """What can be told of the calling process without psutil, which takes longer to import than a short job runs.

    Args:
        before: what it had used when the job started.
        include_children: whether children are asked for; how many there are is not known then.
    """
    read, written = io_bytes()
    threads = thread_count()
    return TreeUse(
        cpu_seconds(ended_children=include_children) - before.cpu_s,
        rss_bytes(),
        None if read is None or before.read_bytes is None else read - before.read_bytes,
        None if written is None or before.written_bytes is None else written - before.written_bytes,
        None if threads is None else threads - 1,
        None if include_children else 1,
    )


class ProcessTree:
    """The calling process and what it, its children and their children have started.

    Children that were there before are part of it, with what they use from the first reading on. A process stays part of
    it when its parent ends; one whose parent ended before it was first seen is not found.

    Args:
        psutil: the module.
        before: what the calling process had used when the job started.
        include_children: whether to look at any process but the calling one.
    """

    def __init__(self, psutil: Any, before: Before, *, include_children: bool) -> None:
        self.pids: frozenset[int] = frozenset()
        self.all_pids: frozenset[int] = frozenset()
        self._psutil = psutil
        self._include_children = include_children
        self._own = psutil.Process()
        self._children: dict[int, Any] = {}
        self._pids_before = before.pids
        self._not_read_before = {self._own.pid}
        self._cpu = _Sum(self._own.pid, before.cpu_s)
        self._read = _Sum(self._own.pid, before.read_bytes)
        self._written = _Sum(self._own.pid, before.written_bytes)

    def read(self, not_counted_s: float = 0.0) -> TreeUse:
        """Looks which processes there are, and reads what they use.

        Args:
            not_counted_s: CPU seconds of the calling process that are not the job's.

        Returns:
            Their use. A figure that one of the processes does not give away is None.
        """
        self._look()
        # parents before children: a child that ends in between is then missing for one reading, never counted twice
        own = self._use_of(self._own)
        own_cpu_s = cpu_seconds(ended_children=self._include_children) - not_counted_s
        uses = {self._own.pid: own._replace(cpu_s=own_cpu_s, threads=None if own.threads is None else own.threads - 1)}
        for pid, process in list(self._children.items()):
            try:
                uses[pid] = self._use_of(process)
            except self._psutil.NoSuchProcess:
                del self._children[pid]
        self.pids = frozenset(uses)
        old, self._not_read_before = self._not_read_before, set()
        return TreeUse(
            self._cpu.add({pid: use.cpu_s for pid, use in uses.items()}, old),
            _total(use.memory_bytes for use in uses.values()),
            _whole(self._read.add({pid: use.read_bytes for pid, use in uses.items()}, old)),
            _whole(self._written.add({pid: use.written_bytes for pid, use in uses.items()}, old)),
            _total(use.threads for use in uses.values()),
            len(uses),
        )

    def _look(self) -> None:
        """Finds new children: only those of the machine's processes that are new are asked who started them."""
        before, self.all_pids = self.all_pids, frozenset(self._psutil.pids())
        if not self._include_children:
            return
        if not before:
            self._children = {child.pid: child for child in self._own.children(recursive=True)}
            there_before = self._children if self._pids_before is None else self._pids_before
            self._not_read_before |= self._children.keys() & there_before
            return
        strangers: dict[int, tuple[int, Any]] = {}
        for pid in self.all_pids - before - self._children.keys():
            try:
                process = self._psutil.Process(pid)
                strangers[pid] = process.ppid(), process
            except self._psutil.Error:  # it is gone, or somebody else's
                continue
        found = True
        while found:
            found = False
            for pid, (parent, process) in list(strangers.items()):
                if parent == self._own.pid or parent in self._children:
                    self._children[pid] = process
                    del strangers[pid]
                    found = True

    def _use_of(self, process: Any) -> "_Use":
        with process.oneshot():
            times, memory = self._ask(process, "cpu_times"), self._ask(process, "memory_info")
            # macOS tells no process's I/O
            io = self._ask(process, "io_counters") if hasattr(process, "io_counters") else None
            return _Use(
                times and times.user + times.system + _of_ended_children(times),
                memory and memory.rss,
                io and io.read_bytes,
                io and io.write_bytes,
                self._ask(process, "num_threads"),
            )

    def _ask(self, process: Any, question: str) -> Any:
        try:
            answer: Callable[[], Any] = getattr(process, question)
            return answer()
        except (self._psutil.AccessDenied, NotImplementedError):
            return None


class _Use(NamedTuple):
    """What one process says."""

    cpu_s: float | None
    memory_bytes: int | None
    read_bytes: int | None
    written_bytes: int | None
    threads: int | None


class _Sum:
    """How much a counter has grown over processes that come and go.

    When a process ends, what it had counted turns up in its parent's counter: at once, or in the next reading if it ended in
    the middle of one, or never if nobody waited for it. The sum never shrinks, and counts nothing twice.

    Args:
        own: the pid of the process whose counter is known from the start.
        before: that counter; None if it begins with the first reading.
    """

    def __init__(self, own: int, before: float | None) -> None:
        self._total = 0.0
        self._last: dict[int, float] = {} if before is None else {own: before}
        self._owed = 0.0
        self._old: set[int] = set()

    def add(self, counters: Mapping[int, float | None], old: Collection[int] = ()) -> float | None:
        """Takes a reading of all processes.

        Args:
            counters: each process's own counter by its pid.
            old: processes that are read for the first time and were there before: what they had counted is left out.

        Returns:
            The growth so far; None if one is not known.
        """
        self._old |= set(old)
        known = {pid: counter for pid, counter in counters.items() if counter is not None}
        if len(known) != len(counters):
            return None
        last = self._last
        growth = sum(max(0.0, now - last.get(pid, now if pid in self._old else 0.0)) for pid, now in known.items())
        ended = sum(counter for pid, counter in last.items() if pid not in known) if _PARENTS_INHERIT else 0.0
        counted = growth - ended - self._owed
        self._owed = min(ended, max(0.0, -counted))
        self._total += max(0.0, counted)
        self._last, self._old = known, set()
        return self._total


def _of_ended_children(times: Any) -> float:
    return float(getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0))


def _total(figures: Iterable[int | None]) -> int | None:
    total = 0
    for figure in figures:
        if figure is None:
            return None
        total += figure
    return total


def _whole(figure: float | None) -> int | None:
    return None if figure is None else round(figure)
