"""All benchmarks, one command: `python benchmarks`. Prints tables, and writes them into `docs/`."""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import around
import command_line
import composing
import costs_page
import hydra
import journals
import last_of_many
import listing
import metrics
import of_jobs
import plot
import report
import resources
import results
import resuming
import settings
import startup
import sweeps
import trackers
import validation
import whole_sweeps
import wrapping
from contenders import PEER, Contenders
from harness import Line, table, temporary_directory

DOCS = Path(__file__).resolve().parent.parent / "docs"


def main() -> None:
    """Measures everything, or with `--quick` a little of everything, which shows only that the benchmarks run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions and small sweeps; writes no files")
    parser.add_argument("--rounds", type=int, help="how often what takes turns is run, instead of each topic's own number")
    parser.add_argument("topics", nargs="*", help="only these topics, such as 'Whole sweeps' and Start-up")
    given = parser.parse_args()
    quick = given.quick

    def rounds(of_the_topic: int) -> int:
        return given.rounds or (1 if quick else of_the_topic)

    with temporary_directory() as environments:
        contenders = Contenders(Path(environments), also=("hydra-joblib-launcher",))
        topics: dict[str, Callable[[], Sequence[Line]]] = {
            "Whole sweeps": lambda: whole_sweeps.lines(
                contenders, 4 if quick else whole_sweeps.JOBS, rounds(whole_sweeps.REPETITIONS)
            ),
            "Start-up": lambda: startup.lines(contenders, rounds(25)),
            "Sweeps": lambda: sweeps.lines(
                contenders, (2, 3, 4) if quick else sweeps.JOBS, rounds(2), 9 if quick else sweeps.LONG
            ),
            "Composing once": lambda: composing.lines(contenders, 4 if quick else composing.JOBS, rounds(3)),
            "Resuming": lambda: resuming.lines(contenders, 4, 10, 20, 1) if quick else resuming.lines(contenders),
            "Resources": lambda: resources.lines(2, 5, 1) if quick else resources.lines(),
            "The report": report.lines,
            "Metrics": lambda: metrics.lines(1, 100) if quick else metrics.lines(),
            "Trackers": lambda: trackers.lines(3 if quick else trackers.JOBS, rounds(3)),
            "Around the job": lambda: around.lines(rounds(around.REPETITIONS)),
            "In each job": lambda: of_jobs.lines(2 if quick else of_jobs.JOBS, rounds(9)),
            "Validation": validation.lines,
            "The command line": lambda: command_line.lines(rounds(command_line.REPETITIONS)),
            "A list of runs": lambda: listing.lines(rounds(listing.REPETITIONS), 100 if quick else listing.RUNS),
            "Journals": lambda: journals.lines(
                (1_000,) if quick else journals.JOBS, 100 if quick else journals.FILES, rounds(5)
            ),
            "Many processes": lambda: last_of_many.lines(100 if quick else last_of_many.JOBS, rounds(5)),
            "Wrapped callbacks": wrapping.lines,
            "The results table": lambda: results.lines(1_000 if quick else results.JOBS),
            "Settings": lambda: settings.lines(1_000) if quick else settings.lines(),
        }
        measured: dict[str, Sequence[Line]] = {}
        for topic, lines in topics.items():
            if given.topics and topic not in given.topics:
                continue
            sys.stderr.write(f"{topic} ...\n")
            measured[topic] = lines()
            print(f"\n{topic}\n\n{table(measured[topic])}", flush=True)
            if not quick:  # after each topic: half an hour is long
                _write(measured, topics)
    every = [line for lines in measured.values() for line in lines]
    bounded = [line for line in every if line.bound is not None]
    missed = [line for line in bounded if line.measured > line.bound]
    print(f"\n{len(bounded)} bounds, {len(missed)} missed")
    for line in missed:
        print(f"- {line.what}: {line.measured:.3g} {line.unit}, at most {line.bound:g} {line.unit}")


def _write(measured: dict[str, Sequence[Line]], topics: Collection[str]) -> None:
    """Writes what was measured; a topic that was not stays as it was measured before."""
    DOCS.mkdir(exist_ok=True)
    page = DOCS / "benchmark.md"
    earlier = page.read_text("utf-8").split("\n## ")[1:] if page.exists() else []
    tables = {topic: text.strip() for topic, _, text in (section.partition("\n") for section in earlier)}
    tables |= {topic: table(lines) for topic, lines in measured.items()}
    page.write_text(_head() + "".join(f"\n## {topic}\n\n{tables[topic]}\n" for topic in topics if topic in tables), "utf-8")
    costs_page.update()
    plot.draw(costs_page.figures(), DOCS / "benchmark.svg")


def _head() -> str:
    where = (
        f"Python {platform.python_version()}, hydra-core {hydra.__version__}, {platform.system()}, {os.cpu_count()} cores"
    )
    return (
        "# Benchmark\n\n"
        f"Written by `python benchmarks` ({where}). All contenders of a topic ran in turn in one go. "
        "Figures are medians; beside them stands the middle half of all measurements, and of how many. "
        f"The peer is {PEER} with GitInfo, LatestRunLink, RuntimePerformance and RegisterRunCallback.\n"
    )


if __name__ == "__main__":
    main()
