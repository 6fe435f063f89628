"""`hydra-callback-kit report`: a run or sweep as one HTML file."""

from collections.abc import Sequence
from pathlib import Path

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import NothingToShowError, latest_here
from hydra_callback_kit.cli.completion import RunPath, complete_metric
from hydra_callback_kit.cli.target import asked_ranking, mode_option, ranking_options, run_option, the_run
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.remote.mirror import is_mirror
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.best import by_what
from hydra_callback_kit.views.direction import Best, pareto_front
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.report.choice import PlotlyJs, ReportOptions, choose_metric
from hydra_callback_kit.views.report.libraries import INSTALL, missing_libraries
from hydra_callback_kit.views.report.together import together
from hydra_callback_kit.views.setting_ranking import RankBy


@click.command("report")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=RunPath(exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; what lies there is written over.  [default: report.html in the run's directory]",
)
@click.option(
    "--metric",
    metavar="METRIC",
    shell_complete=complete_metric,
    help="The metric to rank by.  [default: as on record, else the first that varies]",
)
@mode_option
@ranking_options
@click.option("--title", metavar="TEXT", help="The page's title.  [default: the app's name]")
@click.option(
    "--plotly-js",
    type=click.Choice(["inline", "directory"]),
    default="inline",
    help="Whether plotly's JavaScript is part of the file or lies beside it.  [default: inline]",
)
@run_option
def command(
    paths: tuple[Path, ...],
    output: Path | None,
    metric: str | None,
    mode: Best | None,
    average_over: tuple[str, ...],
    rank_by: RankBy | None,
    title: str | None,
    plotly_js: PlotlyJs,
    run_id: str | None,
) -> None:
    """Write the report of a run or of several sweeps, one HTML file.

    It may still run: the report says what is known now. METRIC is a key of the mapping that the jobs return, dotted where it
    is nested, or `return_value` for a bare number.

    Where jobs are averaged over seeds, by --average-over or because `results_aggregator_callback` was asked to, the page
    shows settings with their spread beside the jobs.
    """
    _check_libraries(plots=False)
    from hydra_callback_kit.views.report.page import write_report  # noqa: PLC0415  slow to import, and --help needs none

    run = _together(paths, output, run_id)
    asked = asked_ranking(run, metric, mode, average_over, rank_by)
    options = ReportOptions(metric, mode, title, plotly_js, average_over=asked.average_over, rank_by=asked.rank_by)
    if output is None and is_mirror(run.root):
        raise click.UsageError("Say where the report of a run that lies elsewhere is to be written: -o FILE.")
    known = metric_names(run.jobs)
    chosen = choose_metric(run, known, options)
    if metric is not None and known and chosen is None:
        raise NothingToShowError(wording.unknown_metric(metric, known))
    is_named, output = output is not None, output or run.root / "report.html"
    try:
        kept = write_report(output.absolute(), run, options, is_named=is_named)
    except ModuleNotFoundError:
        _check_libraries(plots=True)
        raise
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror or error}") from error
    for place, name in kept.items():
        screen.say(f"{place} is not what hydra-callback-kit wrote: it is kept as {name}", err=True)
    best = ""
    if metric is None and (front := pareto_front(run.facts, run.jobs)):
        best = f", {wording.jobs(len(front))} that no other beats in all objectives"
    elif chosen is not None:
        of_settings = f"{chosen.name} ({by_what(chosen.mode, asked)})"
        best = f", best by {of_settings if asked.average_over else f'the {chosen.words}'}"
    screen.say(f"{output}: {wording.jobs(len(run.jobs))}{best}", err=True)


def _together(paths: Sequence[Path], output: Path | None, run_id: str | None) -> RunRecord:
    if len(paths) > 1 and output is None:
        raise click.UsageError("Say where the report of several sweeps is to be written: -o FILE.")
    if len(paths) > 1 and run_id is not None:
        raise click.UsageError("--run is for one sweep; of several the latest runs are taken.")
    runs = [the_run(path, run_id) for path in paths or [latest_here()]]
    for place, run in enumerate(runs):
        screen.print_warnings(run)
        if not run.jobs:
            raise NothingToShowError(f"No job has started yet in {run.root}.")
        if run.root in [other.root for other in runs[:place]]:
            raise click.UsageError(f"{run.root} is named twice.")
    return together(runs)


def _check_libraries(*, plots: bool) -> None:
    missing = missing_libraries(plots=plots)
    if missing:
        raise click.UsageError(f"The report needs {' and '.join(missing)}: {INSTALL}")
