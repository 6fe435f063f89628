"""Reading a journal of 1,000, 10,000 and 100,000 jobs, against `json.loads` of every line."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from command_line import write_journal
from harness import Line, table, temporary_directory

from hydra_callback_kit.journal.reader import read_run

JOBS = (1_000, 10_000, 100_000)


def lines(jobs: tuple[int, ...] = JOBS, repetitions: int = 5) -> list[Line]:
    """Measures CPU time in this process, one after the other, so many times."""
    return [
        Line.of(f"read_run of {count:,} jobs, against json.loads of every line", _ratios(count, repetitions), None)
        for count in jobs
    ]


def _ratios(jobs: int, repetitions: int) -> list[float]:
    with temporary_directory() as directory:
        file = write_journal(Path(directory), jobs)

        def loads() -> None:
            with file.open("rb") as journal:
                for line in journal:
                    json.loads(line)

        return [_seconds(lambda: read_run(Path(directory))) / _seconds(loads) for _ in range(repetitions)]


def _seconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


if __name__ == "__main__":
    print(table(lines()))
