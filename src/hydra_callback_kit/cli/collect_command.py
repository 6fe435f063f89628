"""`hydra-callback-kit collect`: the results table, rebuilt from the journals of one or more sweeps."""

import os
from pathlib import Path

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import latest_here
from hydra_callback_kit.cli.completion import RunPath
from hydra_callback_kit.cli.target import latest_runs
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.files import put_where_told
from hydra_callback_kit.views.results import results_table, results_table_of_all
from hydra_callback_kit.views.table_formats import FORMATS, write_table


@click.command("collect")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=RunPath(exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    "outputs",
    metavar="FILE",
    multiple=True,
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"The file to write; its suffix decides the format: {', '.join(FORMATS)}. May be given more than once.",
)
@click.option("--safe-csv", is_flag=True, help="CSV for spreadsheets: what they would take for a formula is text.")
@click.option("--no-config", is_flag=True, help="Leave the jobs' configs out of JSON.")
def command(*, paths: tuple[Path, ...], outputs: tuple[Path, ...], safe_csv: bool, no_config: bool) -> None:
    """Write the results table of one or more sweeps.

    A row for each job, as `results_aggregator_callback` writes it, from what the journals hold now: also of sweeps that
    still run, that were killed, or that had other callbacks on. With several runs, the first column, `sweep`, tells which.
    """
    for output in outputs:
        if output.suffix.lower() not in FORMATS:
            raise click.UsageError(f"{output} has no known format. Its suffix must be one of {', '.join(FORMATS)}.")
    with_configs = not no_config and any(output.suffix.lower() in (".json", ".jsonl") for output in outputs)
    found = [run for path in paths or [latest_here()] for run in latest_runs(path, with_configs=with_configs)]
    runs = list({run.root: run for run in found}.values())
    for run in runs:
        screen.print_warnings(run)
    table = (
        results_table(runs[0], include_config=with_configs)
        if len(runs) == 1
        else results_table_of_all(_named(runs), include_config=with_configs)
    )
    jobs = sum(len(run.jobs) for run in runs)
    for output in outputs:
        try:
            with put_where_told(output) as path:
                write_table(path, table, output.suffix, safe_csv=safe_csv)
        except ModuleNotFoundError as error:
            raise click.UsageError(f"{output} needs pyarrow: pip install 'hydra-callback-kit[parquet]'") from error
        except OSError as error:
            raise click.ClickException(f"{output} cannot be written: {error.strerror or error}") from error
        screen.say(f"{output}: {wording.jobs(jobs)} of {len(runs)} {'run' if len(runs) == 1 else 'runs'}", err=True)


def _named(runs: list[RunRecord]) -> dict[str, RunRecord]:
    """The runs by their directories, as short as tells them apart."""
    try:
        above = os.path.commonpath([run.root.parent for run in runs])
    except ValueError:  # on several drives
        return {str(run.root): run for run in runs}
    return {run.root.relative_to(above).as_posix(): run for run in runs}
