"""`hydra-callback-kit table`: a sweep's settings as a table for a paper."""

from pathlib import Path

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.completion import complete_metric, complete_override
from hydra_callback_kit.cli.target import (
    asked_ranking,
    chosen_metric,
    mode_option,
    path_argument,
    ranking_options,
    run_option,
    the_run,
)
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import unknown_key
from hydra_callback_kit.views.direction import Best, direction_of
from hydra_callback_kit.views.files import put_where_told
from hydra_callback_kit.views.pivot import AmbiguousError, pivot
from hydra_callback_kit.views.pivot_formats import FORMATS
from hydra_callback_kit.views.setting_ranking import RankBy


@click.command("table")
@path_argument
@click.option(
    "--rows",
    metavar="KEY",
    multiple=True,
    required=True,
    shell_complete=complete_override,
    help="An override whose values are rows; may be given again.",
)
@click.option(
    "--columns",
    metavar="KEY",
    multiple=True,
    shell_complete=complete_override,
    help="One whose values are columns; may be given again, or left out.",
)
@click.option(
    "--metric",
    metavar="METRIC",
    shell_complete=complete_metric,
    help="The metric; may be left out where it is on record, or the only one.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"The file to write; its suffix decides the format: {', '.join(FORMATS)}.  [default: Markdown on the screen]",
)
@mode_option
@ranking_options
@run_option
def command(
    *,
    path: Path,
    rows: tuple[str, ...],
    columns: tuple[str, ...],
    metric: str | None,
    output: Path | None,
    mode: Best | None,
    average_over: tuple[str, ...],
    rank_by: RankBy | None,
    run_id: str | None,
) -> None:
    """Write a table of a sweep's settings, for a paper.

    A cell has the mean of the metric and its standard error, rounded by the error; the best of each column is bold. In
    LaTeX the table needs the package booktabs.
    """
    if output is not None and output.suffix.lower() not in FORMATS:
        raise click.UsageError(f"{output} has no known format. Its suffix must be one of {', '.join(FORMATS)}.")
    run = the_run(path, run_id)
    screen.print_warnings(run)
    for option, keys in (("--rows", rows), ("--columns", columns)):
        unknown = unknown_key(run.jobs, keys)
        if unknown:
            raise click.UsageError(unknown.replace("average_over", option, 1))
    asked = asked_ranking(run, metric, mode, average_over, rank_by)
    laid_out = [key for key in asked.average_over if key in {*rows, *columns}]
    if laid_out and average_over:
        raise click.UsageError(
            f"{laid_out[0]} is averaged over, and has no values left for --rows or --columns: leave one out."
        )
    over = [key for key in asked.average_over if key not in laid_out]
    name = chosen_metric([run], asked.metric)
    try:
        table = pivot(
            run.jobs,
            rows=rows,
            columns=columns,
            over=over,
            metric=name,
            mode=direction_of(run.facts, name, asked.mode),
            rank_by=asked.rank_by,
        )
    except AmbiguousError as error:
        raise click.UsageError(
            f"The jobs of one cell differ in {error}: average over it (--average-over {error.keys[0]}), or make it --rows."
        ) from None
    if output is None:
        for line in FORMATS[".md"](table).splitlines():
            screen.say(line)
        return
    try:
        with put_where_told(output) as temporary:
            temporary.write_text(FORMATS[output.suffix.lower()](table), encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror or error}") from error
    screen.say(f"{output}: {len(table.rows)} x {len(table.columns)} settings of {wording.jobs(len(run.jobs))}", err=True)
