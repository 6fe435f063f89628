"""`hydra-callback-kit compare`: what differs between runs, side by side; or which of two is better, pair by pair."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import holds_runs
from hydra_callback_kit.cli.completion import RunPath, complete_metric, complete_override
from hydra_callback_kit.cli.paired_pages import PairedBy, compare_pairs
from hydra_callback_kit.cli.target import json_option, mode_option, sight, the_run
from hydra_callback_kit.journal.finder import enclosing_run
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views.comparison import differences
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.plain_table import Column

_TWO: Final = 2


@click.command("compare")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=RunPath(exists=True, path_type=Path))
@click.option("--metric", metavar="METRIC", shell_complete=complete_metric, help="Compare this metric, pair by pair.")
@click.option(
    "--setting",
    "settings",
    metavar="OVERRIDES",
    multiple=True,
    help="Compare the jobs that were given these overrides, such as model=big or 'model=big lr=0.1', with those of another"
    " --setting.",
)
@click.option(
    "--average-over",
    metavar="KEY",
    multiple=True,
    shell_complete=complete_override,
    help="Pair means over this override, such as seed, and not single jobs; may be given again.",
)
@mode_option
@json_option
def command(
    *,
    paths: tuple[Path, ...],
    metric: str | None,
    settings: tuple[str, ...],
    average_over: tuple[str, ...],
    mode: Best | None,
    as_json: bool,
) -> None:
    """Show what differs between runs, or which of two is better.

    Compared are how they were started, overrides, configs (where `results_aggregator_callback` recorded them) and metrics;
    of a sweep the config that its jobs share, and the range of each metric. A PATH may also be a job's directory in a sweep.

    With --metric or --setting, two sweeps are compared by a metric, or two settings of one sweep or of two. A pair is two
    jobs whose other overrides are equal, such as the same seed. Shown are the mean of the paired differences, its standard
    error, a 95 % interval (Student's t), and each pair.
    """
    if metric is not None or settings or average_over or mode is not None:
        if len(paths) > _TWO:
            raise click.UsageError("Pairs are of two: give two paths, or one path and --setting twice.")
        runs = [_run_or_job(path, with_configs=False) for path in paths]
        compare_pairs(list(map(str, paths)), runs, settings, PairedBy(metric, mode, average_over), as_json=as_json)
    else:
        if len(paths) < _TWO:
            raise click.UsageError("Give two paths or more; or one path, --setting twice and --metric.")
        runs = [_run_or_job(path, with_configs=True) for path in paths]
        _print_differences(paths, runs, as_json=as_json)
    for run in runs:
        screen.print_warnings(run)


def _print_differences(paths: Sequence[Path], runs: Sequence[RunRecord], *, as_json: bool) -> None:
    found = differences(runs)
    if as_json:
        screen.print_json(
            {
                "runs": list(map(str, paths)),
                "differences": [{**dataclasses.asdict(each), "values": list(each.values)} for each in found],
            }
        )
    elif not found:
        screen.say("They do not differ in anything that is recorded.")
    else:
        screen.print_table(
            [
                Column("", [each.section for each in found]),
                Column("key", [each.key for each in found]),
                *(Column(str(path), [_text(each.values[i]) for each in found]) for i, path in enumerate(paths)),
            ]
        )


def _run_or_job(path: Path, *, with_configs: bool) -> RunRecord:
    sweep = enclosing_run(path)
    if sweep is not None and holds_runs(sweep):
        run = read_run(sweep, sight=sight())
        for job in run.jobs:
            if _is_at(job, path):
                facts = {**run.facts, "overrides": list(job.task_overrides)}
                return dataclasses.replace(
                    run,
                    mode="RUN",
                    status=job.status,
                    jobs=(job,),
                    planned_jobs=None,
                    duration_s=job.duration_s,
                    facts=facts,
                )
    return the_run(path, with_configs=with_configs)


def _is_at(job: JobRecord, path: Path) -> bool:
    try:
        return job.output_dir is not None and job.output_dir.resolve() == path.resolve()
    except (OSError, RuntimeError, ValueError):  # no directory has a name like the one on record, or links go in circles
        return False


def _text(value: Any) -> str:
    if value is None:
        return ""
    return as_text(value)
