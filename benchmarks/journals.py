"""Reading journals of 1,000 to 100,000 jobs, against `json.loads` of every line; and one that has a file for each job."""

import gc
import json
import time
from collections.abc import Callable
from pathlib import Path

from command_line import RUN_ID, write_journal
from harness import Line, table, temporary_directory

from hydra_callback_kit.journal.reader import read_run

JOBS = (1_000, 10_000, 100_000)
BOUNDS = {100_000: 2.0}
FILES = 10_000


def lines(jobs: tuple[int, ...] = JOBS, files: int = FILES, repetitions: int = 5) -> list[Line]:
    """Measures CPU time in this process, one after the other, so many times.

    Args:
        jobs: how many jobs the journals of one file have.
        files: how many jobs the journal has of which each has a file of its own.
        repetitions: how often each journal is read.
    """
    return [
        *(
            Line.of(
                f"read_run of {count:,} jobs, against json.loads of every line",
                _ratios(count, repetitions),
                BOUNDS.get(count),
            )
            for count in jobs
        ),
        Line.of(f"read_run of {files:,} jobs in as many files, against one file", _spread(files, repetitions), 1.5),
    ]


def _ratios(jobs: int, repetitions: int) -> list[float]:
    with temporary_directory() as directory:
        file = write_journal(Path(directory), jobs)

        def loads() -> None:
            with file.open("rb") as journal:
                for line in journal:
                    json.loads(line)

        return [_seconds(lambda: read_run(Path(directory))) / _seconds(loads) for _ in range(repetitions)]


def _spread(jobs: int, repetitions: int) -> list[float]:
    with temporary_directory() as one, temporary_directory() as many:
        file = write_journal(Path(one), jobs)
        _write_one_by_one(file, Path(many) / file.parent.name)
        return [_seconds(lambda: read_run(Path(many))) / _seconds(lambda: read_run(Path(one))) for _ in range(repetitions)]


def _write_one_by_one(journal: Path, directory: Path) -> None:
    """The same lines as if each job had run in a process of its own, and the sweep in another."""
    of_a_job: dict[int, list[bytes]] = {}
    with journal.open("rb") as lines_of_all:
        for line in lines_of_all:
            of_a_job.setdefault(json.loads(line).get("job", -1), []).append(line)
    directory.mkdir()
    for place, of_one in enumerate(of_a_job.values(), start=1):
        (directory / f"{RUN_ID}.host-{place}-{place:08x}.jsonl").write_bytes(b"".join(of_one))


def _seconds(action: Callable[[], object]) -> float:
    gc.collect()
    started = time.process_time()
    action()
    return time.process_time() - started


if __name__ == "__main__":
    print(table(lines()))
