"""What `resume_callback` costs a sweep that has nothing to resume, and how soon it knows what is left of one that has.

Each is one process that waits for nothing: CPU time is what it takes where nobody else wants the processor.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from contenders import Contender, Contenders
from harness import Line, interleaved, ratios, run, table, temporary_directory
from hydra import compose, initialize_config_dir
from validation import VERSION_BASE

from hydra_callback_kit.configs.sweep_jobs import config_loader
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.reader import run_ids
from hydra_callback_kit.journal.writer import write_line

JOBS = 200
"""How many jobs a sweep has that is run, and how many configs Hydra composes in the time for a decision."""
RESUMED = 1_000
DECIDED = 10_000
TIMED = """
import atexit, os, time
spent = [0.0]
def timed(kind, name):
    real = getattr(kind, name)
    def wrapper(*args, **kwargs):
        started = time.process_time()
        try:
            return real(*args, **kwargs)
        finally:
            spent[0] += time.process_time() - started
    setattr(kind, name, wrapper)
if os.environ.get("STARTS") == "nothing":
    from hydra.core.plugins import Plugins
    real = Plugins.instantiate_launcher
    def starts_nothing(self, **kwargs):
        launcher = real(self, **kwargs)
        launcher.launch = lambda job_overrides, initial_job_idx: []
        return launcher
    Plugins.instantiate_launcher = starts_nothing
if os.environ.get("STARTS") == "timed":
    from hydra_callback_kit.hooks import resuming
    from hydra_callback_kit.launching.resumes import Resumes
    for kind, names in ((resuming, ("ask_whether_it_goes_on", "go_on")), (Resumes, ("numbers", "answers"))):
        for name in names:
            timed(kind, name)
    atexit.register(lambda: open("decided_s", "w").write(str(spent[0])))
"""
"""The app's preamble: a launcher that starts nothing, so that a large sweep is soon on record, or the time for deciding."""
IDLE = """
from hydra.experimental.callback import Callback
class Idle(Callback):
    def __init__(self, **parameters):
        pass
"""


def lines(
    contenders: Contenders, jobs: int = JOBS, resumed: int = RESUMED, decided: int = DECIDED, repetitions: int = 5
) -> list[Line]:
    """Measures sweeps of do-nothing jobs.

    Args:
        contenders: who.
        jobs: how many jobs a sweep has that has nothing to resume.
        resumed: how many finished ones a sweep has that is started again.
        decided: how many one has of which only the decision is timed.
        repetitions: how often; the sweeps take turns.
    """
    with temporary_directory() as name:
        directory = Path(name)
        contenders.write_app(directory, preamble=TIMED)
        return [
            *_nothing_to_resume(contenders, directory, jobs, repetitions),
            _decision(contenders.resuming_once, directory, decided, jobs, repetitions),
            _taken_over(contenders.resuming_once, directory, resumed, repetitions),
        ]


def _nothing_to_resume(contenders: Contenders, directory: Path, jobs: int, repetitions: int) -> list[Line]:
    """Against the sweep whose callback of that name does nothing, which Hydra composes alike, and against one without it."""
    (directory / "idle.py").write_text(IDLE, encoding="utf-8")
    on, off, sweep = contenders.resuming_standard, contenders.standard, ("-m", f"x=range({jobs})")
    commands = [
        on.command(*sweep),
        on.command(*sweep, "hydra.callbacks.resume_callback._target_=idle.Idle"),
        off.command(*sweep),
    ]
    ours, idle, without = interleaved(commands, directory, repetitions)
    what = f"sweep of {jobs} jobs with nothing to resume, {{}}, against {{}}"
    same = "the same sweep with a callback that does nothing in its place"
    return [
        Line.of(what.format("CPU time", same), ratios(ours, idle, "cpu_s"), 1.02),
        Line.of(what.format("wall time", same), ratios(ours, idle, "wall_s"), None),
        Line.of(what.format("CPU time", f"{off.name} alone"), ratios(ours, without, "cpu_s"), None),
    ]


def _decision(contender: Contender, directory: Path, jobs: int, composed: int, repetitions: int) -> Line:
    """Of a contender that composes once: Hydra would check for minutes whether its jobs can be composed."""
    command = _finished_sweep(contender, directory, jobs)
    samples = []
    for _ in range(repetitions):
        run(["env", "STARTS=timed", *command], directory)
        samples.append(float((directory / "decided_s").read_text("ascii")) / _composing_s(directory, composed))
    return Line.of(f"deciding over {jobs:,} finished jobs, CPU time, against Hydra composing {composed}", samples, 1.0)


def _composing_s(directory: Path, jobs: int) -> float:
    with initialize_config_dir(str(directory), **VERSION_BASE):
        master, loader = compose("config", return_hydra_config=True), config_loader()
        return _seconds(lambda: [loader.load_sweep_config(master, [f"x={num}"]) for num in range(jobs)])


def _taken_over(contender: Contender, directory: Path, jobs: int, repetitions: int) -> Line:
    commands = [_finished_sweep(contender, directory, count) for count in (1, jobs)]
    one, all_of_them = interleaved(commands, directory, repetitions)
    samples = [(many.cpu_s - alone.cpu_s) / (jobs - 1) * 1000 for many, alone in zip(all_of_them, one, strict=True)]
    return Line.of(
        f"a sweep of {jobs:,} finished jobs started again, CPU time per job: {contender.name}", samples, 1.0, "ms"
    )


def _finished_sweep(contender: Contender, directory: Path, jobs: int) -> list[str]:
    """Puts a sweep on record whose jobs have completed; the command that started it."""
    command = contender.command("-m", f"x=range({jobs})", f"hydra.sweep.dir={contender.config_name}-{jobs}")
    run(["env", "STARTS=nothing", *command], directory)
    root = directory / f"{contender.config_name}-{jobs}"
    sweep = RunIdentity(run_ids(root)[-1], root, "MULTIRUN")
    for num in range(jobs):
        job = JobIdentity(sweep, num, f"{num:012x}", os.getpid(), str(num), "app", (f"x={num}",), root / str(num))
        write_line(sweep, "job_started", {"job_id": str(num), "overrides": [f"x={num}"], "output_dir": str(num)}, job)
        write_line(sweep, "job_ended", {"status": "COMPLETED", "duration_s": 1.5, "return_value": 1}, job)
    return command


def _seconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


if __name__ == "__main__":
    with temporary_directory() as environments:
        print(table(lines(Contenders(Path(environments), also=("hydra-joblib-launcher",)))))
