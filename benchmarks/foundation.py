"""What the package costs an app that does not use it, and what the logging and performance callbacks cost one that does."""

from pathlib import Path

from harness import (
    HOOK_TIMER,
    Line,
    environment,
    hook_ms_per_job,
    interleaved,
    ratios,
    run,
    table,
    temporary_directory,
    write_app,
)

PROJECT = Path(__file__).resolve().parent.parent
BOTH = ["+callbacks=[logging_callback,performance_callback]"]


def lines(single_runs: int = 25, sweeps: int = 5) -> list[Line]:
    """Measures; a single run takes a third of a second, a sweep of 1,000 jobs a minute and a half."""
    with temporary_directory() as temporary:
        directory = Path(temporary)
        bare_python = environment(directory / "bare")
        our_python = environment(directory / "ours", str(PROJECT))
        app = directory / "app"
        app.mkdir()
        write_app(app)
        bare, installed, used = interleaved(
            [[bare_python, "app.py"], [our_python, "app.py"], [our_python, "app.py", *BOTH]], app, single_runs
        )
        result = [
            Line.of("installed, not used: CPU of a single run, against bare", ratios(installed, bare, "cpu_s"), 1.02),
            Line.of("both callbacks: wall time of a single run, against bare", ratios(used, bare, "wall_s"), 1.10),
            Line.of("both callbacks: CPU of a single run, against bare", ratios(used, bare, "cpu_s"), None),
            Line.of("both callbacks: memory of a single run, against bare", ratios(used, bare, "peak_rss_bytes"), None),
        ]
        write_app(app, preamble=HOOK_TIMER)
        small = [hook_ms_per_job(our_python, app, 200, BOTH) for _ in range(sweeps)]
        large = [hook_ms_per_job(our_python, app, 1000, BOTH)]
        result += [
            Line.of("both callbacks: in our hooks per job, 200 jobs of 50 keys", small, 1.0, "ms"),
            Line.of("both callbacks: in our hooks per job, 1,000 jobs of 50 keys", large, 1.0, "ms"),
        ]
        write_app(app)
        sweep = ["app.py", "-m", "x=range(200)"]
        pairs = [
            (run([our_python, *sweep, *BOTH], app).wall_s - run([bare_python, *sweep], app).wall_s) / 200 * 1000
            for _ in range(sweeps)
        ]
        result.append(Line.of("both callbacks: whole sweep of 200 jobs, per job, less bare", pairs, None, "ms"))
    return result


if __name__ == "__main__":
    print(table(lines()))
