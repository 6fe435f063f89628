"""What the benchmarks share: apps run in turn with and without us, in one go, and a table of figures and bounds."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import hydra

MAIN = (
    'version_base=None, config_path=".", config_name="config"'
    if hydra.__version__.startswith("1.3.")
    else 'config_path=".", config_name="config", execution_whitelist=["hydra_callback_kit.*", "__main__.*"]'
)


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        what: what was measured, and against what.
        measured: the figure; for a ratio, the median over the interleaved repetitions.
        bound: what it may be at most; None for a figure that is shown beside a bounded one.
        unit: `x` for a ratio, or a unit.
        spread: the middle half of the repetitions, lowest and highest.
        samples: how many repetitions there were.
    """

    what: str
    measured: float
    bound: float | None
    unit: str = "x"
    spread: tuple[float, float] | None = None
    samples: int = 1

    @classmethod
    def of(cls, what: str, samples: Sequence[float], bound: float | None, unit: str = "x") -> "Line":
        """A line of the median of some samples."""
        low, _, high = statistics.quantiles(samples, n=4, method="inclusive") if len(samples) > 1 else [*samples] * 3
        return cls(what, statistics.median(samples), bound, unit, (low, high), len(samples))


@dataclass(frozen=True)
class Usage:
    """What a command used.

    Attributes:
        wall_s: seconds until its process ended.
        cpu_s: seconds of the CPU, those of all processes that it started included.
        peak_rss_bytes: the peak memory of its process alone.
    """

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int


MEASURED = {"wall_s": "wall time", "cpu_s": "CPU time", "peak_rss_bytes": "peak memory"}
"""What the table calls the fields of `Usage`."""


def write_app(directory: Path, body: str = "return 1", keys: int = 50, preamble: str = "") -> None:
    """Writes a Hydra app whose config has so many keys, without callbacks."""
    source = f"import hydra\n{preamble}\n@hydra.main({MAIN})\ndef main(cfg):\n{textwrap.indent(body, '    ')}\nmain()\n"
    (directory / "app.py").write_text(source, "utf-8")
    (directory / "config.yaml").write_text("x: 0\n" + "".join(f"key_{i}: {i}\n" for i in range(keys)), "utf-8")


_STARTER = """
import ctypes, json, os, resource, subprocess, sys, time
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # what a child leaves behind is a child here
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
wall_s = time.perf_counter() - started
try:
    while True:
        os.wait()
except ChildProcessError:
    tree = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([os.waitstatus_to_exitcode(status), wall_s, tree.ru_utime + tree.ru_stime, usage.ru_maxrss]))
"""
"""A process's peak memory begins with that of the process that starts it, so a small one does."""


def run(command: Sequence[str], directory: Path) -> Usage:
    """Runs a command and measures it; its output is dropped."""
    starter = [sys.executable, "-I", "-S", "-c", _STARTER, *command]
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    told = subprocess.run(starter, cwd=directory, capture_output=True, check=True, env=usual)
    code, wall_s, cpu_s, peak = json.loads(told.stdout)
    if code != 0:
        raise RuntimeError(f"{command} ended with {code}")
    return Usage(wall_s, cpu_s, peak * (1 if sys.platform == "darwin" else 1024))


def interleaved(
    commands: Sequence[Sequence[str]], directory: Path, repetitions: int, *, warm_up: bool = True
) -> list[list[Usage]]:
    """Runs the commands in turn, so many times; what they used, by command. A turn before them warms up and is dropped."""
    turns = [[run(command, directory) for command in commands] for _ in range(repetitions + warm_up)]
    return [list(usages) for usages in zip(*turns[warm_up:], strict=True)]


def ratios(ours: Iterable[Usage], bare: Iterable[Usage], of: str) -> list[float]:
    """The ratios of a field of `Usage`, pair by pair."""
    return [getattr(mine, of) / getattr(theirs, of) for mine, theirs in zip(ours, bare, strict=True)]


def table(lines: Iterable[Line]) -> str:
    """The lines as a Markdown table."""
    rows = ["| what | measured | middle half | at most | holds |", "|---|---:|---:|---:|---|"]
    for line in lines:
        spread = "" if line.spread is None else f"{line.spread[0]:.3g} to {line.spread[1]:.3g} of {line.samples}"
        bound = "" if line.bound is None else f"{line.bound:g} {line.unit}"
        holds = "" if line.bound is None else ("yes" if line.measured <= line.bound else "**no**")
        rows.append(f"| {line.what} | {line.measured:.3g} {line.unit} | {spread} | {bound} | {holds} |")
    return "\n".join(rows)


def temporary_directory() -> tempfile.TemporaryDirectory[str]:
    """A directory for an app and what it writes."""
    return tempfile.TemporaryDirectory(prefix="hydra-callback-kit-benchmark-")


def environment(directory: Path, *requirements: str) -> str:
    """Makes a virtual environment with the same Hydra as this one and these packages; its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    python = str(directory / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    needed = [f"hydra-core=={hydra.__version__}", f"omegaconf=={version('omegaconf')}", *requirements]
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *needed], check=True)
    return python


HOOK_TIMER = """
import atexit, json, time
from hydra._internal.callbacks import Callbacks
notify, calls = Callbacks._notify, []
def timed(self, function_name, *args, **kwargs):
    started = time.perf_counter(), time.process_time()
    try:
        notify(self, function_name, *args, **kwargs)
    finally:
        calls.append((function_name, time.perf_counter() - started[0], time.process_time() - started[1]))
Callbacks._notify = timed
atexit.register(lambda: open("hooks_s", "w").write(json.dumps(calls)))
"""
"""An app's preamble that times each hook where Hydra's dispatch calls it, and leaves what it took in the file `hooks_s`."""


class HookCall(NamedTuple):
    """One hook of all callbacks: its name, and the seconds that it took on the clock and of this process's CPU time."""

    hook: str
    wall_s: float
    cpu_s: float


def hook_calls(command: Sequence[str], directory: Path, jobs: int) -> list[HookCall]:
    """Runs a sweep of an app with `HOOK_TIMER`; the hooks of its process, the sweep's own included, in their order."""
    run([*command, "-m", f"x=range({jobs})"], directory)
    return [HookCall(*call) for call in json.loads((directory / "hooks_s").read_text("ascii"))]


def hook_ms_per_job(command: Sequence[str], directory: Path, jobs: int) -> float:
    """Milliseconds per job that one sweep of an app with `HOOK_TIMER` spends in hooks."""
    return sum(call.wall_s for call in hook_calls(command, directory, jobs)) / jobs * 1000
