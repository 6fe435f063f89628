"""The samples of one job, and their means and peaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from hydra_callback_kit.measure.gpus import GpuUse
from hydra_callback_kit.measure.process_tree import TreeUse

CPU_WINDOW_S: Final = 0.1
"""The least time that a CPU percentage is taken over, where there was so much: other processes' CPU times are counted in
steps of 10 ms."""

COLUMNS: Final = (
    *("time", "elapsed_s", "cpu_percent", "memory_bytes", "read_bytes", "written_bytes", "threads", "processes"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a job used at one moment. What is not known is None.

    Attributes:
        time: when, UTC.
        elapsed_s: seconds since the job's start.
        cpu_percent: of one core, since an earlier sample: 200 is two cores.
        use: of its processes.
        gpus: of each visible GPU.
    """

    time: datetime
    elapsed_s: float
    cpu_percent: float | None
    use: TreeUse
    gpus: tuple[GpuUse, ...]

    def cells(self, gpus: int) -> list[str]:
        """The sample as a row of text, with two cells for each of so many GPUs."""
        use = self.use
        cells = [
            self.time.isoformat(timespec="milliseconds"),
            f"{self.elapsed_s:.4f}",
            _percent(self.cpu_percent),
            *map(_count, (use.memory_bytes, use.read_bytes, use.written_bytes, use.threads, use.processes)),
        ]
        for gpu in (*self.gpus, *[GpuUse()] * gpus)[:gpus]:
            cells += _percent(gpu.percent), _count(gpu.memory_bytes)
        return cells


class Samples:
    """All samples of a job, summed up as they come; the samples themselves are not kept."""

    def __init__(self) -> None:
        self.count = 0
        self._cpu_points: list[tuple[float, float]] = [(0.0, 0.0)]
        self._figures = {name: _Figure() for name in ("cpu_percent", "memory_bytes", "gpu_percent", "gpu_memory_bytes")}
        self._counts: dict[str, int] = {}

    def add(self, elapsed_s: float, use: TreeUse, gpus: tuple[GpuUse, ...]) -> Sample:
        """Takes a reading.

        Args:
            elapsed_s: seconds since the job's start.
            use: what its processes use, its CPU time counted from the job's start.
            gpus: what they use of each GPU.

        Returns:
            The sample.
        """
        cpu_percent = None if use.cpu_s is None else self._cpu_percent(elapsed_s, use.cpu_s)
        self.count += 1
        self._figures["cpu_percent"].add(elapsed_s, cpu_percent)
        self._figures["memory_bytes"].add(elapsed_s, use.memory_bytes)
        self._figures["gpu_percent"].add(elapsed_s, _sum([gpu.percent for gpu in gpus]))
        self._figures["gpu_memory_bytes"].add(elapsed_s, _sum([gpu.memory_bytes for gpu in gpus]))
        for name, count in (
            ("read_bytes", use.read_bytes),
            ("written_bytes", use.written_bytes),
            ("peak_threads", use.threads),
            ("peak_processes", use.processes),
        ):
            if count is not None:
                self._counts[name] = max(count, self._counts.get(name, 0))
        return Sample(datetime.now(timezone.utc), elapsed_s, cpu_percent, use, gpus)

    def facts(self) -> dict[str, Any]:
        """Means over time and peaks, by name; without what could not be measured."""
        last_s, cpu_s = self._cpu_points[-1]
        cpu, memory = self._figures["cpu_percent"], self._figures["memory_bytes"]
        gpu, gpu_memory = self._figures["gpu_percent"], self._figures["gpu_memory_bytes"]
        counts = self._counts
        facts = {
            "samples": self.count,
            "mean_cpu_percent": _rounded(100 * cpu_s / last_s) if last_s else None,
            "peak_cpu_percent": _rounded(cpu.peak),
            "mean_memory_bytes": None if memory.mean is None else round(memory.mean),
            "peak_memory_bytes": memory.peak,
            **{name: counts.get(name) for name in ("read_bytes", "written_bytes", "peak_threads", "peak_processes")},
            "mean_gpu_percent": _rounded(gpu.mean),
            "peak_gpu_percent": _rounded(gpu.peak),
            "peak_gpu_memory_bytes": gpu_memory.peak,
        }
        return {name: fact for name, fact in facts.items() if fact is not None}

    def _cpu_percent(self, elapsed_s: float, cpu_s: float) -> float | None:
        points = self._cpu_points
        while len(points) > 1 and elapsed_s - points[1][0] >= CPU_WINDOW_S:
            del points[0]
        since_s, before_s = points[0]
        points.append((elapsed_s, cpu_s))
        return max(0.0, 100 * (cpu_s - before_s) / (elapsed_s - since_s)) if elapsed_s > since_s else None


class _Figure:
    """The peak of a figure, and its mean over time: samples are denser at a job's start."""

    def __init__(self) -> None:
        self.peak: Any = None
        self._last: tuple[float, Any] | None = None
        self._area = 0.0
        self._span_s = 0.0

    def add(self, elapsed_s: float, value: Any) -> None:
        if value is None:
            return
        self.peak = value if self.peak is None else max(self.peak, value)
        if self._last is not None:
            since_s, before = self._last
            self._area += (value + before) / 2 * (elapsed_s - since_s)
            self._span_s += elapsed_s - since_s
        self._last = elapsed_s, value

    @property
    def mean(self) -> float | None:
        return self._area / self._span_s if self._span_s else self.peak


def _sum(figures: Sequence[Any]) -> Any:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)


def _percent(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.1f}"


def _count(figure: int | None) -> str:
    return "" if figure is None else str(figure)
