"""The sampling thread: it sees GPUs, stops at once, and what goes wrong in it is not the job's."""

import csv
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from nvml import FakeGpu, FakeNvml, NVMLError, NVMLError_LibraryNotFound

from hydra_callback_kit.journal.fingerprint import is_one_of
from hydra_callback_kit.measure import sample_file
from hydra_callback_kit.measure.gpus import Gpus, NoGpuError
from hydra_callback_kit.measure.process_tree import ProcessTree, TreeUse
from hydra_callback_kit.measure.resource_sampler import ResourceSampler, SamplingThread, end_threads
from hydra_callback_kit.measure.sample_file import SampleFile


class Watched(FakeNvml):
    """Says when its GPUs were read so often."""

    def __init__(self, *gpus: FakeGpu, times: int = 3) -> None:
        super().__init__(*gpus)
        self.left = times
        self.was_read = threading.Event()

    def nvmlDeviceGetComputeRunningProcesses(self, gpu: FakeGpu) -> list[object]:  # noqa: N802  NVML's name
        """Counts."""
        self.left -= 1
        if self.left <= 0:
            self.was_read.set()
        return super().nvmlDeviceGetComputeRunningProcesses(gpu)


def sampler_of(
    path: Path, open_gpus: Callable[[], Gpus | None] = lambda: None, errors: list[Exception] | None = None
) -> ResourceSampler:
    """A sampler at a short interval, whose rows go to `r.csv`."""
    report = (errors if errors is not None else []).append
    return ResourceSampler(
        0.01, True, SampleFile(path, "r.csv", lambda path: path.unlink(missing_ok=True)), open_gpus, report
    )


def rows_in(path: Path) -> list[dict[str, str]]:
    """The rows of `r.csv`."""
    with (path / "r.csv").open(encoding="ascii", newline="") as text:
        return list(csv.DictReader(text))


def test_gpus_have_columns_from_the_first_row_on(tmp_path: Path) -> None:
    """Rows wait until the driver has told how many there are; one of the two cannot be read, which is said once."""
    said = list[str]()
    nvml = Watched(FakeGpu({1: 100}), FakeGpu(error=NVMLError("GPU is lost")), times=6)
    sampler = sampler_of(tmp_path, lambda: Gpus(nvml, None, said.append))
    assert nvml.was_read.wait(60)
    facts = sampler.stop()
    rows = rows_in(tmp_path)
    assert len(rows) == facts["samples"] >= 3
    assert list(rows[0])[-4:] == ["gpu0_percent", "gpu0_memory_bytes", "gpu1_percent", "gpu1_memory_bytes"]
    assert [rows[-1][column] for column in list(rows[0])[-4:]] == ["0.0", "0", "", ""]
    assert facts["peak_gpu_memory_bytes"] == 0
    assert len(said) == 1


def test_a_driver_that_takes_seconds_delays_nobody(tmp_path: Path) -> None:
    """The job ends while the driver is being asked: its samples are there, and the driver is let go of afterwards."""
    nvml, asked, go_on = FakeNvml(FakeGpu()), threading.Event(), threading.Event()

    def slow() -> Gpus:
        asked.set()
        go_on.wait(60)
        return Gpus(nvml, None, print)

    sampler = sampler_of(tmp_path, slow)
    assert asked.wait(60)
    assert sampler.stop()["samples"] == len(rows_in(tmp_path)) >= 1
    assert not any("gpu" in column for column in rows_in(tmp_path)[0])
    go_on.set()
    sampler._thread.join(60)
    assert nvml.open == 0
    assert not sampler._thread.is_alive()


@pytest.mark.parametrize("error", [NoGpuError("none"), RuntimeError("a bug"), NVMLError_LibraryNotFound()])
def test_what_goes_wrong_in_the_thread_is_reported(tmp_path: Path, error: Exception) -> None:
    """Once, and what was sampled before is kept."""
    failed, errors = threading.Event(), list[Exception]()

    def failing() -> Gpus:
        failed.set()
        raise error

    sampler = sampler_of(tmp_path, failing, errors)
    assert failed.wait(60)
    facts = sampler.stop()
    sampler._thread.join(60)
    assert errors == [error]
    assert facts["samples"] == len(rows_in(tmp_path)) >= 1


@pytest.mark.parametrize("after", [0, 3])
def test_nothing_is_written_once_it_has_been_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """The job ends while a sample is being taken, as on a busy machine: by what is told of it the file is known later."""
    taking, go_on, times = threading.Event(), threading.Event(), iter(range(after))
    read = ProcessTree.read

    def slow(tree: ProcessTree, not_counted_s: float) -> TreeUse:
        if next(times, None) is None:
            taking.set()
            go_on.wait(60)
        return read(tree, not_counted_s)

    monkeypatch.setattr(ProcessTree, "read", slow)
    sampler = sampler_of(tmp_path)
    assert taking.wait(60)
    facts = sampler.stop()
    known = sampler.fingerprint
    assert sampler.has_rows
    go_on.set()
    end_threads(60)
    assert len(rows_in(tmp_path)) == facts["samples"] == max(after, 1)
    assert is_one_of(tmp_path / "r.csv", [known])


def test_who_still_writes_as_it_is_stopped_is_known_by_what_it_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a network file system the end of a write may take long."""
    closing, go_on, close = threading.Event(), threading.Event(), os.close

    def slow(descriptor: int) -> None:
        if isinstance(threading.current_thread(), SamplingThread):
            closing.set()
            go_on.wait(60)
        close(descriptor)

    monkeypatch.setattr(sample_file.os, "close", slow)
    sampler = sampler_of(tmp_path)
    assert closing.wait(60)
    sampler.stop()
    known = sampler.fingerprint
    go_on.set()
    end_threads(60)
    assert rows_in(tmp_path)
    assert is_one_of(tmp_path / "r.csv", [known])


def test_the_sampling_is_not_counted(tmp_path: Path) -> None:
    """While a job only waits, most of what its process uses of the CPU is the sampling; little of it is in the figures."""
    nvml = Watched(FakeGpu(), times=40)
    before_s = time.process_time()
    sampler = sampler_of(tmp_path, lambda: Gpus(nvml, None, print))
    assert nvml.was_read.wait(60)
    facts = sampler.stop()
    used_s = time.process_time() - before_s
    counted_s = facts["mean_cpu_percent"] / 100 * float(rows_in(tmp_path)[-1]["elapsed_s"])
    assert 0 <= counted_s < used_s / 2


def test_a_job_of_no_time_has_a_sample(tmp_path: Path) -> None:
    """It ends before the thread has begun."""
    sampler = sampler_of(tmp_path)
    facts = sampler.stop()
    (row,) = rows_in(tmp_path)
    assert facts["samples"] == 1
    assert facts["peak_memory_bytes"] == int(row["memory_bytes"]) > 1_000_000
    assert int(row["threads"]) >= 1
    sampler._thread.join(60)
    assert not sampler._thread.is_alive()


def test_a_sampler_that_nobody_has_ends_with_the_process(tmp_path: Path) -> None:
    """Ctrl-C between the start of the thread and the line that keeps the sampler."""
    sampler_of(tmp_path)
    assert [thread for thread in threading.enumerate() if isinstance(thread, SamplingThread)]
    end_threads(60)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, SamplingThread)]
