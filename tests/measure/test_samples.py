"""Samples: rows of a file, means over time and peaks."""

import csv
import errno
import resource
from pathlib import Path

import pytest

from hydra_callback_kit.measure.gpus import GpuUse
from hydra_callback_kit.measure.process_tree import TreeUse
from hydra_callback_kit.measure.samples import SampleFile, Samples


def use(cpu_s: float | None, memory: int | None = None, processes: int | None = 1) -> TreeUse:
    """A reading of a process that has not read anything."""
    return TreeUse(cpu_s, memory, 0, None, 3, processes)


def test_means_are_over_time_and_percentages_over_a_tenth_of_a_second() -> None:
    """Dense samples at the start weigh no more than they last; a percentage of a few ticks in a few ms is no peak."""
    samples = Samples()
    rows = [
        samples.add(elapsed_s, use(cpu_s, memory, processes), ())
        for elapsed_s, cpu_s, memory, processes in [
            (0.02, 0.02, 100, 1),
            (0.04, 0.02, 100, 3),
            (0.1, 0.04, 100, 1),
            (1.1, 2.04, 300, None),
            (1.102, 2.05, 100, 1),
        ]
    ]
    assert [row.cpu_percent for row in rows] == pytest.approx([100, 50, 40, 200, 100 * 2.01 / 1.002])
    facts = samples.facts()
    assert facts == {
        "samples": 5,
        "mean_cpu_percent": round(100 * 2.05 / 1.102, 2),
        "peak_cpu_percent": 200.6,
        "mean_memory_bytes": round((0.08 * 100 + 200 + 0.4) / 1.082),
        "peak_memory_bytes": 300,
        "read_bytes": 0,
        "peak_threads": 3,
        "peak_processes": 3,
    }


def test_what_is_not_known_is_left_out() -> None:
    """Of a single sample without CPU time or memory, nothing is made up; of GPUs, what is known is summed."""
    samples = Samples()
    samples.add(0.02, use(None), (GpuUse(), GpuUse(40.0, None)))
    facts = samples.facts()
    assert facts.keys() == {
        *("samples", "read_bytes", "peak_threads", "peak_processes"),
        *("mean_gpu_percent", "peak_gpu_percent"),
    }
    samples.add(1.02, use(None), (GpuUse(30.0, 5), GpuUse(50.0, 6)))
    assert samples.facts()["mean_gpu_percent"] == 60.0
    assert samples.facts()["peak_gpu_percent"] == 80.0
    assert samples.facts()["peak_gpu_memory_bytes"] == 11


def test_the_file_has_a_row_a_sample_and_two_columns_a_gpu(tmp_path: Path) -> None:
    """What is not known is an empty cell; what an earlier attempt left is replaced."""
    (tmp_path / "r.csv").write_text("old\n" * 100)
    samples, file = Samples(), SampleFile(tmp_path, "r.csv")
    file.append([samples.add(0.02, use(0.01, 7), ())], 2)
    file.append([samples.add(1.02, use(None), (GpuUse(30.0, 5), GpuUse()))], 0)
    with (tmp_path / "r.csv").open(encoding="ascii", newline="") as text:
        first, second = csv.DictReader(text)
    assert list(first)[1:] == [
        *("elapsed_s", "cpu_percent", "memory_bytes", "read_bytes", "written_bytes", "threads", "processes"),
        *("gpu0_percent", "gpu0_memory_bytes", "gpu1_percent", "gpu1_memory_bytes"),
    ]
    assert list(first.values())[1:] == ["0.0200", "50.0", "7", "0", "", "3", "1", "", "", "", ""]
    assert list(second.values())[1:] == ["1.0200", "", "", "0", "", "3", "1", "30.0", "5", "", ""]


def test_no_half_row_is_left_on_a_full_disk(tmp_path: Path) -> None:
    """The file reaches a size limit in the middle of a row: it is not there, and once there is room the next one is."""
    samples, file = Samples(), SampleFile(tmp_path, "sub/r.csv")
    row = samples.add(0.02, use(0.01), ())
    file.append([row], 0)
    before = (tmp_path / "sub" / "r.csv").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limits[1]))
    try:
        with pytest.raises(OSError, match="space") as raised:
            file.append([row], 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert raised.value.errno == errno.ENOSPC
    assert (tmp_path / "sub" / "r.csv").read_bytes() == before
    file.append([row], 0)
    assert (tmp_path / "sub" / "r.csv").read_bytes() == before + before.splitlines(keepends=True)[1]


def test_a_directory_that_vanished_is_not_made_again(tmp_path: Path) -> None:
    """The job's own directory is the app's to make; only directories below it are made."""
    with pytest.raises(FileNotFoundError):
        SampleFile(tmp_path / "gone", "r.csv").append([Samples().add(0.02, use(None), ())], 0)
    assert list(tmp_path.iterdir()) == []
