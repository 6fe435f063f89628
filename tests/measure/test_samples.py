"""Samples: means over time and peaks."""

import pytest

from hydra_callback_kit.measure.gpus import GpuUse
from hydra_callback_kit.measure.process_tree import TreeUse
from hydra_callback_kit.measure.samples import Samples


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
