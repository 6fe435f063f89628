"""A thread that samples what a job uses while it runs, and stays out of its way."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from hydra_callback_kit.journal.thread_imports import importing
from hydra_callback_kit.measure.gpus import Gpus, GpuUse
from hydra_callback_kit.measure.process_tree import Before, ProcessTree, TreeUse, use_of_this_process
from hydra_callback_kit.measure.sample_file import SampleFile
from hydra_callback_kit.measure.samples import Sample, Samples

FIRST_S: Final = 0.02
"""When the thread begins; until then the job has the interpreter to itself."""
MOST_OF_THE_TIME: Final = 0.05
"""What the samples may take of the time: where one takes long, they become fewer."""
LIMIT_S: Final = 0.005
"""How long the end of a job waits for a sample that is being taken and for rows; a last one is taken if they are quicker."""


class SamplingThread(threading.Thread):
    """A thread that does not keep the process alive.

    Args:
        target: what it does.
        over: tells it to end.
    """

    def __init__(self, target: Callable[[], None], over: threading.Event) -> None:
        super().__init__(target=target, name="hydra_callback_kit.resource_sampler", daemon=True)
        self.over = over


class ResourceSampler:
    """Samples what the calling process and its children use, from now until it is stopped.

    The first samples come early and each next one after as long as all before it, until the interval is reached. The CPU
    time of the sampling itself is not counted.

    Args:
        interval_s: seconds between two samples, once they are that far apart.
        include_children: whether children count.
        file: where the rows go; None for nowhere.
        open_gpus: called in the thread; returns None where no GPU is measured.
        report: called with an error that keeps rows from being written or the sampling from going on.

    Attributes:
        pid: the process that is sampled; a forked child has a copy of this object without the thread.
    """

    def __init__(
        self,
        interval_s: float,
        include_children: bool,
        file: SampleFile | None,
        open_gpus: Callable[[], Gpus | None],
        report: Callable[[Exception], None],
    ) -> None:
        self.pid = os.getpid()
        self._interval_s = interval_s
        self._include_children = include_children
        self._file = file
        self._open_gpus = open_gpus
        self._report = report
        self._samples = Samples()
        self._unwritten: list[Sample] = []
        self._tree: ProcessTree | None = None
        self._gpus: Gpus | None = None
        self._own_cpu_s = 0.0
        self._took_s = 0.0
        self._measuring = threading.Lock()
        self._summing_up = threading.Lock()  # held for microseconds only
        self._is_summed_up = False
        self._writing = threading.Lock()
        self._is_written = False
        self._over = threading.Event()
        self._thread = SamplingThread(self._run, self._over)
        self._before = Before.now(include_children=include_children)
        self._started_s = time.monotonic()
        self._thread.start()

    @property
    def has_rows(self) -> bool:
        """Whether a row was written, or is about to be."""
        return self._file is not None and (self._file.has_rows or (bool(self._unwritten) and not self._file.is_taken))

    @property
    def fingerprint(self) -> str:
        """That of what the file holds."""
        return str(self._file.fingerprint) if self._file is not None else ""

    def stop(self) -> dict[str, Any]:
        """Takes a last sample, if that is quick or there is none yet, writes the last rows, and stops.

        From then on nothing is written: what the file holds is what it is known by.

        Returns:
            The means and peaks, by name.
        """
        is_free = self._measuring.acquire(timeout=LIMIT_S)
        self._over.set()
        if is_free:
            try:
                if self._samples.count == 0 or self._took_s < LIMIT_S:
                    self._take(self._own_cpu_s)
            except Exception as error:  # noqa: BLE001  what was sampled before is worth keeping
                self._report(error)
            finally:
                self._measuring.release()
        elif self._samples.count == 0:
            self._take_without_psutil()
        with self._summing_up:
            self._is_summed_up = True
            facts = self._samples.facts()
        is_free = self._writing.acquire(timeout=LIMIT_S)
        self._is_written = True
        if is_free:
            try:
                self._write()
            finally:
                self._writing.release()
        self._thread.join(LIMIT_S)
        return facts

    def _run(self) -> None:
        try:
            self._sample()
        except Exception as error:  # noqa: BLE001  whatever it is, the job goes on
            self._report(error)
        self._write_in_the_thread()
        with self._measuring:
            if self._gpus is not None:
                self._gpus.close()

    def _sample(self) -> None:
        if self._over.wait(FIRST_S):
            return
        with importing:
            import psutil  # noqa: PLC0415  in the hook it would delay the job

        with self._measuring:
            self._tree = ProcessTree(psutil, self._before, include_children=self._include_children)
            self._take_in_the_thread()
        gpus = self._open_gpus()  # the driver may take seconds; the first rows wait, for it says how many columns they have
        with self._measuring:
            self._gpus = gpus
        self._write_in_the_thread()
        while not self._over.wait(self._pause_s()):
            with self._measuring:
                self._take_in_the_thread()
            self._write_in_the_thread()

    def _pause_s(self) -> float:
        return max(min(self._interval_s, self._elapsed_s()) - self._took_s, self._took_s / MOST_OF_THE_TIME)

    def _take_in_the_thread(self) -> None:
        if not self._over.is_set():
            self._take(time.thread_time())
            self._own_cpu_s = time.thread_time()

    def _take(self, not_counted_s: float) -> None:
        if self._tree is None:
            self._take_without_psutil()
            return
        elapsed_s, began_s = self._elapsed_s(), time.thread_time()
        use = self._tree.read(not_counted_s)
        # its CPU time, which other work of the machine does not stretch; but the driver is waited for
        self._took_s = time.thread_time() - began_s
        gpus: tuple[GpuUse, ...] = ()
        if self._gpus is not None:
            gpus = self._gpus.read(self._tree.pids, self._tree.all_pids)
            self._took_s = self._elapsed_s() - elapsed_s
        self._add(elapsed_s, use, gpus)

    def _take_without_psutil(self) -> None:
        self._add(self._elapsed_s(), use_of_this_process(self._before, include_children=self._include_children))

    def _add(self, elapsed_s: float, use: TreeUse, gpus: tuple[GpuUse, ...] = ()) -> None:
        with self._summing_up:
            if not self._is_summed_up:
                self._unwritten.append(self._samples.add(elapsed_s, use, gpus))

    def _write_in_the_thread(self) -> None:
        with self._writing:
            if not self._is_written:
                self._write()

    def _write(self) -> None:
        with self._summing_up:
            samples, self._unwritten = self._unwritten, []
        if self._file is None or not samples:
            return
        try:
            self._file.append(samples, 0 if self._gpus is None else len(self._gpus))
        except OSError as error:
            self._report(error)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started_s


def end_threads(timeout_s: float) -> None:
    """Ends the threads of all samplers, as the process ends.

    One may be in the middle of an import, and one may be of a sampler that nobody has: Ctrl-C came as it was made.

    Args:
        timeout_s: the longest time to wait.
    """
    until = time.monotonic() + timeout_s
    threads = [thread for thread in threading.enumerate() if isinstance(thread, SamplingThread) and thread.ident]
    for thread in threads:
        thread.over.set()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
