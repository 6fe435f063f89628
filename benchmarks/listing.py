"""The runs below a folder: 2,000 of them are listed, and the latest is shown."""

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from command_line import START
from harness import Line, interleaved, table, temporary_directory

RUNS = 2_000
REPETITIONS = 15
READ = "import json\nfor file in open({list!r}, encoding='utf-8'):\n for line in open(file.strip(), 'rb'): json.loads(line)"


def lines(repetitions: int = REPETITIONS, runs: int = RUNS) -> list[Line]:
    """Measures the CPU time of each command against what it cannot do without, in turn, again and again."""
    with temporary_directory() as directory:
        root = Path(directory)
        write_runs(root, runs)
        files = root / "files"
        files.write_text("".join(f"{file}\n" for file in root.glob("*/*/.callbacks/*.jsonl")), "utf-8")
        python, ours = [sys.executable, "-c"], [sys.executable, "-m", "hydra_callback_kit"]
        commands = [
            [*python, READ.format(list=str(files))],
            [*python, START],
            [*python, "import json"],
            [*ours, "show", directory],
            [*ours, "show", directory, "--sort-by", "accuracy"],
            [*ours, "show"],
        ]
        read, start, alone, show, sort, latest = interleaved(commands, root, repetitions)
    bounds = [
        4 * (reads.cpu_s - nothing.cpu_s) + starts.cpu_s for reads, nothing, starts in zip(read, alone, start, strict=True)
    ]
    against = "CPU time against 4 times json.loads of all journals plus the start of Python with rich and click"
    return [
        Line.of(f"{what}, {against}", [shown.cpu_s / bound for shown, bound in zip(used, bounds, strict=True)], limit)
        for what, used, limit in (
            (f"show of a folder with {runs:,} runs", show, 1.0),
            ("the same with --sort-by", sort, 1.0),
            ("show without a path, the latest of them", latest, 1.0),
        )
    ]


def write_runs(root: Path, runs: int = RUNS) -> None:
    """Journals as the standard callbacks write them: single runs, and among ten a sweep of eight jobs."""
    first = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for num in range(runs):
        at = first + timedelta(minutes=7 * num)
        directory = root / f"{at:%Y-%m-%d}" / f"{at:%H-%M-%S}"
        run_id = f"{at:%Y%m%dT%H%M%S}000000-{num:08x}"
        file = directory / ".callbacks" / f"{run_id}.host-1-{num:08x}.jsonl"
        file.parent.mkdir(parents=True)
        with file.open("w", encoding="ascii") as out:
            for line in _lines(num, at, run_id, str(directory)):
                out.write(json.dumps(line, separators=(",", ":")) + "\n")


def _lines(num: int, at: datetime, run_id: str, directory: str) -> Iterator[dict[str, Any]]:
    jobs = 8 if num % 10 == 0 else 1

    def line(event: str, facts: dict[str, Any], job: int | None = None) -> dict[str, Any]:
        of_job = {} if job is None else {"job": job, "attempt": f"c5d2319a3561/{job}/0"}
        who = {"host": "host", "pid": 1, "born": "73401dcc-63ab-4735-93c0-34de13cd4b2d:358185"}
        time = (at + timedelta(seconds=1 if job is None else 2 + job)).isoformat(timespec="microseconds")
        return {"v": 1, "time": time, "run": run_id, "event": event, **of_job, **who, "facts": facts}

    command = [
        "/home/me/project/.venv/bin/python",
        "train.py",
        *(["-m", "lr=0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8"] if jobs > 1 else []),
    ]
    yield line(
        "run_started",
        {
            "mode": "MULTIRUN" if jobs > 1 else "RUN",
            "config_name": "config",
            "launcher": "basic",
            "sweeper": "basic",
            "planned_jobs": jobs if jobs > 1 else None,
            "hydra_version": "1.3.8",
            "python_version": "3.11.7",
            "root": directory,
            "cwd": "/home/me/project",
            "job_name": "train",
            "program": command[:2],
            "command": command,
            "other_arguments": [],
            "overrides": [],
            "hydra_overrides": ["hydra.mode=RUN"],
        },
    )
    for name in ("provenance.json", "config_resolved.yaml"):
        yield line("run_facts", {"files": {name: "2114:5ed080fb579ca7e19eb8f79543db9f10a56f0d405f0e49eb7b5b3b4a2929f492"}})
    for job in range(jobs):
        overrides = [f"lr=0.{job + 1}", f"seed={num % 5}", "model=cnn"]
        output_dir = str(job) if jobs > 1 else "."
        yield line(
            "job_started", {"job_id": None, "job_name": "train", "overrides": overrides, "output_dir": output_dir}, job
        )
        yield line("job_facts", {"config": {f"key_{i}": i for i in range(40)}}, job)
        value = {"accuracy": (num * 7 + job) % 1000 / 1000, "loss": 1 / (num + job + 1)}
        yield line("job_ended", {"status": "COMPLETED", "duration_s": 1.5, "return_value": value}, job)
        yield line("job_facts", {"cpu_s": 1.25, "peak_rss_bytes": 123_456_789}, job)
    yield line("run_ended", {"duration_s": 105.5})
    for name in ("results.json", "performance.json"):
        yield line("run_facts", {"files": {name: "1078:80636cfe018ea67eed4ab60811cfd30de2bbff374ce4c1cc17b250d5178f2d34"}})


if __name__ == "__main__":
    print(table(lines()))
