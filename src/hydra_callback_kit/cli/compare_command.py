"""`hydra-callback-kit compare`: what differs between runs, side by side."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.target import holds_runs, json_option, sight, the_run
from hydra_callback_kit.journal.finder import enclosing_run
from hydra_callback_kit.journal.reader import read_run
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views.comparison import differences
from hydra_callback_kit.views.plain_table import Column


@click.command("compare")
@click.argument("paths", metavar="PATH PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@json_option
def command(paths: tuple[Path, ...], as_json: bool) -> None:
    """Show what differs between runs.

    Compared are how they were started, overrides, configs (where `results_aggregator_callback` recorded them) and metrics;
    of a sweep the config that its jobs share, and the range of each metric. A PATH may also be a job's directory in a sweep.
    """
    if len(paths) < 2:  # noqa: PLR2004  one has nothing to differ from
        raise click.UsageError("Give two paths or more.")
    runs = [_run_or_job(path) for path in paths]
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
    for run in runs:
        screen.print_warnings(run)


def _run_or_job(path: Path) -> RunRecord:
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
    return the_run(path, with_configs=True)


def _is_at(job: JobRecord, path: Path) -> bool:
    try:
        return job.output_dir is not None and job.output_dir.resolve() == path.resolve()
    except (OSError, RuntimeError, ValueError):  # no directory has a name like the one on record, or links go in circles
        return False


def _text(value: Any) -> str:
    if value is None:
        return ""
    return as_text(value)
