"""All benchmarks, one command: `python benchmarks`. Prints a table, and writes it into `docs/` and the README."""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import command_line
import hydra
import journals
import plot
import readme
import report
import resources
import results
import startup
import sweeps
import validation
import wrapping
from contenders import PEER, Contenders
from harness import Line, table, temporary_directory

DOCS = Path(__file__).resolve().parent.parent / "docs"


def main() -> None:
    """Measures everything, or with `--quick` a little of everything, which shows only that the benchmarks run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions and small sweeps; writes no files")
    parser.add_argument("topics", nargs="*", help="only these topics, such as Start-up and Sweeps")
    given = parser.parse_args()
    quick = given.quick
    with temporary_directory() as environments:
        contenders = Contenders(Path(environments), also=("hydra-joblib-launcher",))
        topics: dict[str, Callable[[], Sequence[Line]]] = {
            "Start-up": lambda: startup.lines(contenders, 1 if quick else 15),
            "Sweeps": lambda: sweeps.lines(contenders, (2, 3, 4) if quick else sweeps.JOBS, 1 if quick else 2),
            "Resources": lambda: resources.lines(2, 5, 1) if quick else resources.lines(),
            "The report": report.lines,
            "Validation": validation.lines,
            "The command line": lambda: command_line.lines(1 if quick else command_line.REPETITIONS),
            "Journals": lambda: journals.lines((1_000,) if quick else journals.JOBS),
            "Wrapped callbacks": wrapping.lines,
            "The results table": lambda: results.lines(1_000 if quick else results.JOBS),
        }
        measured: dict[str, Sequence[Line]] = {}
        for topic, lines in topics.items():
            if given.topics and topic not in given.topics:
                continue
            sys.stderr.write(f"{topic} ...\n")
            measured[topic] = lines()
            print(f"\n{topic}\n\n{table(measured[topic])}", flush=True)
            if not quick:  # after each topic: half an hour is long
                _write(measured)
    every = [line for lines in measured.values() for line in lines]
    bounded = [line for line in every if line.bound is not None]
    missed = [line for line in bounded if line.measured > line.bound]
    if not quick and not given.topics:
        readme.update()
    print(f"\n{len(bounded)} bounds, {len(missed)} missed")
    for line in missed:
        print(f"- {line.what}: {line.measured:.3g} {line.unit}, at most {line.bound:g} {line.unit}")


def _write(measured: dict[str, Sequence[Line]]) -> None:
    DOCS.mkdir(exist_ok=True)
    (DOCS / "benchmark.md").write_text(_page(measured), "utf-8")
    plot.draw([line for lines in measured.values() for line in lines], DOCS / "benchmark.svg")


def _page(measured: dict[str, Sequence[Line]]) -> str:
    where = (
        f"Python {platform.python_version()}, hydra-core {hydra.__version__}, {platform.system()}, {os.cpu_count()} cores"
    )
    head = (
        "# Benchmark\n\n"
        f"Written by `python benchmarks` ({where}). All contenders ran in turn in one go; figures are medians. The peer is "
        f"{PEER} with GitInfo, LatestRunLink, RuntimePerformance and RegisterRunCallback.\n"
    )
    return head + "".join(f"\n## {topic}\n\n{table(lines)}\n" for topic, lines in measured.items())


if __name__ == "__main__":
    main()
