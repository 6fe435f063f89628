"""What stands around each job costs: its output is captured, the worse ones' files are deleted, one of them is profiled."""

import sys
from pathlib import Path

import harness
from harness import Line

JOBS = 16
BOUNDS = {"output_capture_callback": 1.5, "keep_best_callback": 1.25, "profiler_callback": 1.5}
"""Of a sweep of jobs that do nothing, where each is all there is to see. Profiled is its first job."""
NEEDED = {
    "keep_best_callback": [f"hydra.callbacks.keep_best_callback.{word}" for word in ("metric=return_value", "mode=max")]
}


def lines(jobs: int = JOBS, repetitions: int = 9) -> list[Line]:
    """The lines of the table: sweeps that print and leave a file, one after another in turn.

    Args:
        jobs: of each sweep.
        repetitions: how often.
    """
    body = "open('model.ckpt', 'wb').write(bytes(1000))\nprint(cfg.x)\nreturn cfg.x"
    sweep = [sys.executable, "app.py", "-m", f"x=range({jobs})", "hydra.job.chdir=true"]
    commands = {name: [*sweep, f"+callbacks=[{name}]", *NEEDED.get(name, ())] for name in BOUNDS}
    with harness.temporary_directory() as directory:
        harness.write_app(Path(directory), body)
        bare, *others = harness.interleaved([sweep, *commands.values()], Path(directory), repetitions)
    return [
        Line.of(
            f"sweep of {jobs} jobs that do nothing, wall time against bare: {name}",
            harness.ratios(usages, bare, "wall_s"),
            BOUNDS[name],
        )
        for name, usages in zip(commands, others, strict=True)
    ]


if __name__ == "__main__":
    print(harness.table(lines()))
