"""The file of samples: rows, and what becomes of them if something else writes there."""

import csv
import errno
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from intruders import INTRUDERS, looked_at

from hydra_callback_kit.journal.fingerprint import fingerprint_of
from hydra_callback_kit.measure.gpus import GpuUse
from hydra_callback_kit.measure.process_tree import TreeUse
from hydra_callback_kit.measure.sample_file import FileTakenError, SampleFile
from hydra_callback_kit.measure.samples import Samples


def nothing_there(path: Path) -> None:
    """There is room already."""
    assert not path.exists()


def use(cpu_s: float | None, memory: int | None = None, processes: int | None = 1) -> TreeUse:
    """A reading of a process that has not read anything."""
    return TreeUse(cpu_s, memory, 0, None, 3, processes)


def test_the_file_has_a_row_a_sample_and_two_columns_a_gpu(tmp_path: Path) -> None:
    """What is not known is an empty cell; what lay there is somebody else's to take away."""
    (tmp_path / "r.csv").write_text("old\n" * 100)
    samples, file = Samples(), SampleFile(tmp_path, "r.csv", Path.unlink)
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
    samples, file = Samples(), SampleFile(tmp_path, "sub/r.csv", nothing_there)
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
        SampleFile(tmp_path / "gone", "r.csv", nothing_there).append([Samples().add(0.02, use(None), ())], 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "taken",
    [
        lambda file: file.write_text("mine", "utf-8"),
        lambda file: file.write_bytes(b"x" * file.stat().st_size),
        lambda file: file.write_bytes(file.read_bytes() + b"mine\n"),
        *(lambda file, put=put: file.unlink() or put(file) for put in INTRUDERS.values()),
    ],
)
def test_what_somebody_else_has_put_in_its_place_is_left_alone(tmp_path: Path, taken: Callable[[Path], object]) -> None:
    """Its length and its last rows tell; from then on nothing is written, and no pipe is waited for."""
    samples, file = Samples(), SampleFile(tmp_path, "r.csv", nothing_there)
    row = samples.add(0.02, use(0.01), ())
    file.append([row], 0)
    file.append([row], 0)
    assert str(file.fingerprint) == fingerprint_of(tmp_path / "r.csv")
    assert file.has_rows
    taken(tmp_path / "r.csv")
    before = looked_at(tmp_path / "r.csv")
    with pytest.raises(FileTakenError, match=r"r\.csv"):
        file.append([row], 0)
    file.append([row], 0)
    assert looked_at(tmp_path / "r.csv") == before
    assert file.is_taken
    assert not file.has_rows


def test_a_first_row_that_does_not_fit_leaves_no_file(tmp_path: Path) -> None:
    """Else the next try would find a file that nobody knows."""
    samples, file = Samples(), SampleFile(tmp_path, "r.csv", nothing_there)
    row = samples.add(0.02, use(0.01), ())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(OSError, match="space"):
            file.append([row], 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
    file.append([row], 0)
    assert file.has_rows
