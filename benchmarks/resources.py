"""What `resource_monitor_callback` costs: time at a job's start and end, and CPU while a job sleeps or has many children."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from harness import Line, run, table, temporary_directory, write_app

SLEEPS_S = 20
HOOKS = """
import atexit, json, time
from hydra_callback_kit import ResourceMonitorCallback as Monitor
took = {"on_job_start": [], "on_job_end": []}
def timed(name):
    hook = getattr(Monitor, name)
    def measured(self, *args, **kwargs):
        started = time.perf_counter()
        hook(self, *args, **kwargs)
        took[name].append(time.perf_counter() - started)
    setattr(Monitor, name, measured)
timed("on_job_start"); timed("on_job_end")
atexit.register(lambda: open("took.json", "w").write(json.dumps(took)))
"""
"""An app's preamble that leaves the seconds which each call of the job's hooks took."""


def lines(starts: int = 15, jobs: int = 50, sleeps: int = 3) -> list[Line]:
    """Measures; it takes three minutes and a half."""
    with temporary_directory() as temporary:
        directory = Path(temporary)
        cold_start, cold_end = _hooks_ms(directory, "return 1", [], starts)
        warm_start, warm_end = _hooks_ms(directory, "import time; time.sleep(0.05)", ["-m", f"x=range({jobs})"], 1)
        working, _ = _hooks_ms(directory, "for _ in range(3_000_000): pass", ["-m", f"x=range({jobs})"], 1)
        alone = [_percent_of_a_core(0) for _ in range(sleeps)]
        many = [_percent_of_a_core(8) for _ in range(sleeps)]
    return [
        Line.of("start of a job delayed by, first job of a process", cold_start, 5, "ms"),
        Line.of("start of a job delayed by, later jobs that sleep", warm_start[1:], 5, "ms"),
        Line.of("start of a job delayed by, later jobs that compute", working[1:], 5, "ms"),
        Line("the 95th percentile of all these", _percentile_95([*cold_start, *warm_start, *working]), 5, "ms"),
        Line.of("end of a job delayed by, first job of a process, of no length", cold_end, None, "ms"),
        Line.of("end of a job delayed by, later jobs", warm_end[1:], None, "ms"),
        Line.of(f"CPU of one core while a job sleeps {SLEEPS_S} s, after the first 2 s", [a for a, _ in alone], 0.5, "%"),
        Line.of("the same, its first 2 s and the import of psutil included", [b for _, b in alone], 0.5, "%"),
        Line.of("the same with 8 children, after the first 2 s", [a for a, _ in many], 0.5, "%"),
    ]


def _percentile_95(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20, method="inclusive")[-1]


def _hooks_ms(directory: Path, body: str, arguments: list[str], apps: int) -> tuple[list[float], list[float]]:
    write_app(directory, body, preamble=HOOKS)
    took: dict[str, list[float]] = {"on_job_start": [], "on_job_end": []}
    for _ in range(apps):
        run([sys.executable, "app.py", *arguments, "+callbacks=[resource_monitor_callback]"], directory)
        for hook, seconds in json.loads((directory / "took.json").read_text("ascii")).items():
            took[hook] += [1000 * second for second in seconds]
    return took["on_job_start"], took["on_job_end"]


def _percent_of_a_core(children: int) -> tuple[float, float]:
    """CPU time of a process that only sleeps and is sampled, in percent of the time: once it is under way, and in all."""
    done = subprocess.run([sys.executable, __file__, str(children)], check=True, capture_output=True, text=True)
    under_way, in_all = json.loads(done.stdout)
    return under_way, in_all


def _sleep(children: int) -> None:
    """Runs in a process of its own: everything that it uses of the CPU is the sampling's."""
    from hydra_callback_kit.callbacks.resource_monitor_callback import visible_gpus  # noqa: PLC0415  only here
    from hydra_callback_kit.measure.resource_sampler import ResourceSampler  # noqa: PLC0415  the same
    from hydra_callback_kit.measure.sample_file import SampleFile  # noqa: PLC0415  the same

    processes = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(children)]
    with temporary_directory() as directory:
        file = SampleFile(Path(directory), "resources.csv", lambda _: None)
        started_s, used_s = time.monotonic(), time.process_time()
        sampler = ResourceSampler(1.0, True, file, lambda: visible_gpus("auto"), print)
        time.sleep(2)
        under_way_s, used_under_way_s = time.monotonic(), time.process_time()
        time.sleep(SLEEPS_S - 2)
        now_s, used_now_s = time.monotonic(), time.process_time()
        sampler.stop()
    for process in processes:
        process.communicate(b"\n")
    figures = [(used_now_s - used_under_way_s) / (now_s - under_way_s), (used_now_s - used_s) / (now_s - started_s)]
    print(json.dumps([100 * figure for figure in figures]))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _sleep(int(sys.argv[1]))
    else:
        print(table(lines()))
