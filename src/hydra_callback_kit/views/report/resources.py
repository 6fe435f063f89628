"""What the jobs used, where the resource monitor measured it: peaks per job, and curves for some of them."""

import csv
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.regular_file import open_regular
from hydra_callback_kit.journal.values import is_number
from hydra_callback_kit.views import wording

MAX_CURVES: Final = 12
"""Jobs whose samples are drawn: those with the highest peak memory."""
MAX_POINTS: Final = 200
"""Points of a curve."""
MAX_READ_BYTES: Final = 1 << 18
"""A larger file is read at `MAX_POINTS` places."""

_PEAKS: Final = ("peak_memory_bytes", "peak_cpu_percent", "peak_gpu_memory_bytes", "peak_gpu_percent")
_CURVES: Final = ("memory_bytes", "cpu_percent")


@dataclass(frozen=True, slots=True)
class Resources:
    """What the jobs used.

    Attributes:
        peaks: for each measure that is known, a value for each job that is shown; None if unknown.
        curves: for each job whose samples are drawn: its number, `elapsed_s`, and the measures of `_CURVES`.
        with_samples: how many jobs have samples.
        totals: figures over all jobs, by what they are called.
    """

    peaks: dict[str, list[float | None]]
    curves: list[dict[str, Any]]
    with_samples: int
    totals: dict[str, str]


def resources_of(shown: Sequence[JobRecord], jobs: Sequence[JobRecord]) -> Resources | None:
    """Collects what the jobs used.

    Args:
        shown: the jobs that are spelled out on the page.
        jobs: all jobs of the run.

    Returns:
        None if nothing was measured.
    """
    measured = [job for job in jobs if isinstance(job.facts.get("resources"), dict)]
    if not measured:
        return None
    peaks = {name: [_measure(job, name) for job in shown] for name in _PEAKS}
    sampled = sorted(
        (job for job in measured if isinstance(job.facts["resources"].get("file"), str) and job.output_dir is not None),
        key=lambda job: -(_measure(job, "peak_memory_bytes") or 0.0),
    )
    curves = [{"job": job.job_num, **curve} for job in sampled[:MAX_CURVES] if (curve := read_samples(_file(job)))]
    return Resources(
        {name: values for name, values in peaks.items() if any(value is not None for value in values)},
        sorted(curves, key=lambda curve: int(curve["job"])),
        len(sampled),
        _totals(measured),
    )


def read_samples(file: Path) -> dict[str, list[float | None]]:
    """Reads a job's samples.

    Args:
        file: a CSV file as the resource monitor writes it.

    Returns:
        `elapsed_s` and the measures that are drawn, at most `MAX_POINTS` of each; empty if the file has none or cannot be
        read.
    """
    try:
        rows = list(_rows(file))
    except (OSError, csv.Error):
        return {}
    step = math.ceil(len(rows) / MAX_POINTS) or 1
    curve: dict[str, list[float | None]] = {"elapsed_s": [], **{name: [] for name in _CURVES}}
    for start in range(0, len(rows), step):
        stretch = rows[start : start + step]
        curve["elapsed_s"].append(stretch[0]["elapsed_s"])
        for name in _CURVES:  # the highest of a stretch: a peak is what people look for
            curve[name].append(max((value for row in stretch if (value := row.get(name)) is not None), default=None))
    return curve if rows else {}


def _rows(file: Path) -> Iterator[dict[str, float]]:
    """The samples as numbers; a line that is broken or half written is passed by."""
    with open_regular(file) as samples:
        head = next(csv.reader([samples.readline(MAX_READ_BYTES).decode("utf-8", "replace")]), [])
        for line in _lines(samples, os.fstat(samples.fileno()).st_size):
            cells = next(csv.reader([line.decode("utf-8", "replace")]), [])
            row = {name: number for name, cell in zip(head, cells, strict=False) if (number := _number(cell)) is not None}
            if len(cells) == len(head) and "elapsed_s" in row:
                yield row


def _lines(samples: Any, size: int) -> Iterator[bytes]:
    if size <= MAX_READ_BYTES:
        yield from samples
        return
    start = samples.tell()
    for point in range(MAX_POINTS):
        samples.seek(start + (size - start) * point // MAX_POINTS)
        if point:
            samples.readline(MAX_READ_BYTES)  # the rest of a line
        yield samples.readline(MAX_READ_BYTES)


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _file(job: JobRecord) -> Path:
    return (job.output_dir or Path()) / str(job.facts["resources"]["file"])


def _measure(job: JobRecord, name: str) -> float | None:
    facts = job.facts.get("resources")
    value: Any = facts.get(name) if isinstance(facts, dict) else None
    return float(value) if is_number(value) and math.isfinite(value) else None


def _totals(jobs: Sequence[JobRecord]) -> dict[str, str]:
    """The figures that a reader asks for first."""

    def known(name: str) -> list[tuple[float, int]]:
        return [(value, job.job_num) for job in jobs if (value := _measure(job, name)) is not None]

    totals: dict[str, str] = {}
    for name, label in (("peak_memory_bytes", "peak memory"), ("peak_gpu_memory_bytes", "peak GPU memory")):
        if known(name):
            value, job = max(known(name))
            totals[label] = f"{wording.size(value)} (job {job})"
    for name, label in (("mean_cpu_percent", "CPU on average"), ("mean_gpu_percent", "GPU on average")):
        if values := known(name):
            totals[label] = f"{sum(value for value, _ in values) / len(values):.0f} %"
    for name, label in (("read_bytes", "read"), ("written_bytes", "written")):
        if values := known(name):
            totals[label] = wording.size(sum(value for value, _ in values))
    return totals
