"""Journals as the writer writes them, and the same lines rearranged."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from hydra_callback_kit.journal import writer
from hydra_callback_kit.journal.identity import JobIdentity, RunIdentity
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.writer import write_line

Fresh: TypeAlias = Callable[[str], Path]
"""Makes an empty directory of a name, in place of the one that it made before: a property test needs thousands."""


def a_run(root: Path, run_id: str = "20260101T000000-aa") -> RunIdentity:
    """A sweep's identity."""
    return RunIdentity(run_id, root, "MULTIRUN")


def a_job(run: RunIdentity, num: int, attempt: str = "1") -> JobIdentity:
    """A job's identity."""
    return JobIdentity(run, num, f"{num}.{attempt}", os.getpid(), str(num), "app", (f"x={num}",), run.root / str(num))


def write_job(
    run: RunIdentity, num: int, status: str | None, attempt: str = "1", batch: Mapping[str, Any] | None = None, **facts: Any
) -> None:
    """Writes what a job writes, perhaps one in a batch system; without a status it never ends."""
    job = a_job(run, num, attempt)
    place = {"batch": batch} if batch else {}
    write_line(run, "job_started", {"job_id": str(num), "overrides": [f"x={num}"], "output_dir": str(num), **place}, job)
    if status is not None:
        write_line(run, "job_ended", {"status": status, "duration_s": 0.5, **facts}, job)


def write_sweep(root: Path) -> RunIdentity:
    """A sweep in which jobs ended in every way and one was tried twice."""
    writer._files.clear()  # a directory of the same name was another one
    run = a_run(root)
    write_line(run, "run_started", {"mode": "MULTIRUN", "command": ["app.py"]})
    write_line(run, "jobs_launched", {"launched": {str(num): [f"x={num}"] for num in range(4)}})
    write_job(run, 0, "COMPLETED", return_value=float("nan"))
    write_job(run, 1, "FAILED", error={"type": "ValueError", "message": "boom", "traceback": "..."})
    write_job(run, 2, None)
    write_job(run, 3, "FAILED")
    write_job(run, 3, "COMPLETED", attempt="2", return_value={"a": 1})
    write_line(run, "job_facts", {"cpu_s": 1.5}, a_job(run, 0))
    write_line(run, "run_ended", {"duration_s": 3.0})
    return run


def lines_of(root: Path) -> list[bytes]:
    """All lines of a journal."""
    return [line for file in sorted((root / ".callbacks").iterdir()) for line in file.read_bytes().splitlines(keepends=True)]


def rewritten(root: Path, lines: list[bytes]) -> RunRecord:
    """The record of a journal that consists of these lines, in one file, as read from `root`."""
    for file in (root / ".callbacks").iterdir():
        file.unlink()
    (root / ".callbacks" / "20260101T000000-aa.x-1-2.jsonl").write_bytes(b"".join(lines))
    return read_run(root)


def as_of(host: str, root: Path) -> None:
    """Makes a journal one whose processes ran on another machine."""
    for file in (root / ".callbacks").glob("*.jsonl"):
        file.write_text(re.sub('"host":"[^"]*"', f'"host":"{host}"', file.read_text("utf-8")), "utf-8")
