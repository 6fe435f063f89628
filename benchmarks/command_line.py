"""The command line: a sweep of 10,000 jobs is shown and collected, and help is asked for."""

import json
import sys
from pathlib import Path

from harness import Line, interleaved, ratios, table, temporary_directory

JOBS = 10_000
RUN_ID = "20260101T000000000000-0123abcd"
REPETITIONS = 15
READ = "import json, pathlib\nfor line in pathlib.Path({file!r}).open('rb'): json.loads(line)"
START = "import click, rich.console, rich.table"
BARE = "import click\n@click.group()\ndef main(): 'Bare.'\n@main.command()\ndef show(): 'Show.'\nmain(['--help'])"


def lines(repetitions: int = REPETITIONS) -> list[Line]:
    """Measures each command against what it cannot do without, one after the other, again and again."""
    with temporary_directory() as directory:
        root = Path(directory)
        file = write_journal(root)
        python, ours = [sys.executable, "-c"], [sys.executable, "-m", "hydra_callback_kit"]
        commands = [
            [*python, READ.format(file=str(file))],
            [*python, START],
            [*python, "pass"],
            [*ours, "show", directory],
            [*ours, "collect", directory, "-o", f"{directory}/results.csv"],
            [*python, BARE],
            [*ours, "--help"],
        ]
        read, start, python_alone, show, collect, bare, help_ = interleaved(commands, root, repetitions)
    bounds = [
        3 * (reads.wall_s - alone.wall_s) + starts.wall_s
        for reads, alone, starts in zip(read, python_alone, start, strict=True)
    ]
    what = f"of {JOBS} jobs, against 3 times json.loads of the journal plus the start of Python with rich and click"
    return [
        Line.of(f"show {what}", [shown.wall_s / bound for shown, bound in zip(show, bounds, strict=True)], 1.0),
        Line.of(f"collect {what}", [done.wall_s / bound for done, bound in zip(collect, bounds, strict=True)], 1.0),
        Line.of("--help, against that of a bare click program", ratios(help_, bare, "wall_s"), 1.5),
    ]


def write_journal(root: Path, jobs: int = JOBS) -> Path:
    """The journal of a sweep with two overrides, two metrics and usage, as the callbacks write it."""
    journal = root / ".callbacks" / f"{RUN_ID}.host-1-0123abcd.jsonl"
    journal.parent.mkdir()
    with journal.open("w", encoding="ascii") as out:

        def write(event: str, facts: dict[str, object], job: int | None = None) -> None:
            time = f"2026-01-01T00:00:00.{out.tell() % 1_000_000:06d}+00:00"
            line: dict[str, object] = {"v": 1, "time": time, "run": RUN_ID, "event": event}
            if job is not None:
                line |= {"job": job, "attempt": f"{job:012x}"}
            line |= {"host": "host", "pid": 1, "born": "73401dcc-63ab-4735-93c0-34de13cd4b2d:358185", "facts": facts}
            out.write(json.dumps(line, separators=(",", ":")) + "\n")

        write("run_started", {"mode": "MULTIRUN", "job_name": "app", "planned_jobs": jobs})
        for num in range(jobs):
            overrides = [f"x={num // 100}", f"lr=0.{num % 100}1"]
            write(
                "job_started", {"job_id": str(num), "job_name": "app", "overrides": overrides, "output_dir": str(num)}, num
            )
            value = {"accuracy": num / jobs, "loss": 1 / (num + 1)}
            write("job_ended", {"status": "COMPLETED", "duration_s": 1.5, "return_value": value}, num)
            write("job_facts", {"cpu_s": 1.25, "peak_rss_bytes": 123_456_789}, num)
        write("run_ended", {"duration_s": 3600.0})
    return journal


if __name__ == "__main__":
    print(table(lines()))
