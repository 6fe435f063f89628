"""`hydra-callback-kit show`: a run or a sweep on one screen, or the runs below a folder; once, or again and again."""

import contextlib
import dataclasses
import gc
import io
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import NothingToShowError, found_below, holds_runs, latest_here
from hydra_callback_kit.cli.choice import Choice, choice_of, choice_options
from hydra_callback_kit.cli.completion import complete_metric
from hydra_callback_kit.cli.make_again import make_again
from hydra_callback_kit.cli.pages import print_ranks, print_run, run_json
from hydra_callback_kit.cli.run_list import RunList
from hydra_callback_kit.cli.setting_pages import chosen_settings, metric_of_settings, print_settings, settings_json
from hydra_callback_kit.cli.target import (
    asked_ranking,
    assume_gone_option,
    json_option,
    mode_option,
    optional_path_argument,
    ranking_options,
    run_option,
    sight,
    sorted_jobs,
    the_run,
)
from hydra_callback_kit.journal.reader import run_ids
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import AskedRanking
from hydra_callback_kit.views.comparisons import unknown_name
from hydra_callback_kit.views.direction import Best, direction_of, objectives
from hydra_callback_kit.views.ranking import ranked
from hydra_callback_kit.views.setting_ranking import RankBy
from hydra_callback_kit.views.settings import Setting

_ROWS: Final = 40
"""Rows of a table on a terminal; in a pipe there is no limit."""

_REFRESH_S: Final = 2.0


@click.command("show")
@optional_path_argument
@choice_options
@click.option("--failed", is_flag=True, help="Only jobs that failed or were interrupted.")
@click.option(
    "--sort-by",
    metavar="METRIC",
    help="Sort the jobs by a metric, or the runs by their best job, the best first.",
    shell_complete=complete_metric,
)
@mode_option
@ranking_options
@click.option("--ranks", is_flag=True, help="List the ranks of distributed jobs: where each ran, and how it ended.")
@click.option("--all", "every", is_flag=True, help="All rows of a long table, also on a terminal.")
@click.option("--watch", is_flag=True, help="Refresh every two seconds while it runs.")
@click.option("--remake", is_flag=True, help="First make the run's summaries again (results, report, ...), if out of date.")
@assume_gone_option
@run_option
@json_option
def command(  # noqa: C901  what the options ask for, one after another
    *,
    path: Path | None,
    since_text: str | None,
    statuses: tuple[str, ...],
    where: tuple[str, ...],
    failed: bool,
    sort_by: str | None,
    mode: Best | None,
    average_over: tuple[str, ...],
    rank_by: RankBy | None,
    ranks: bool,
    every: bool,
    watch: bool,
    remake: bool,
    assume_gone: bool,
    run_id: str | None,
    as_json: bool,
) -> None:
    """Show a run or a sweep, or list the runs below a folder.

    Without PATH it is the latest run here. Of a run or sweep: how it stands, when and how it was started, and a table of its
    jobs. Of a folder above: the runs below it, newest first. --since, --status and --where choose the jobs, or the runs of a
    folder; --since without PATH chooses among the runs here. On a terminal a long table is shortened. With --average-over it
    is one of settings: the jobs that differ in nothing but the overrides that are averaged over, together; --where on a
    metric compares their means then.
    """
    if watch and (as_json or not screen.is_terminal()):
        raise click.UsageError("--watch refreshes a terminal: it goes neither with --json nor into a pipe.")
    choice = choice_of(since_text, statuses, where)
    if path is None:
        path = latest_here() if since_text is None else Path()
    if remake:
        make_again(the_run(path, run_id, assume_gone=assume_gone))
    of_jobs = run_id is not None or failed or ranks or average_over or rank_by is not None
    rows = _ROWS if screen.is_terminal() and not every else None
    if not of_jobs and not holds_runs(path):
        _show_runs(path, choice, sort_by, mode, rows, assume_gone=assume_gone, watch=watch, as_json=as_json)
        return

    if average_over:
        _check_goes_with_settings({"failed": failed, "ranks": ranks, "status": statuses, "since": since_text is not None})

    def asked_of(run: RunRecord) -> AskedRanking:
        asked = asked_ranking(run, sort_by, mode, average_over, rank_by)
        if mode is not None and asked.metric is None and not average_over and not objectives(run.facts):
            raise click.UsageError(f"--mode {mode} says which value is the best. Say of which metric: --sort-by METRIC.")
        return asked

    def chosen(run: RunRecord) -> list[JobRecord]:
        return _chosen(run, choice, failed=failed, sort_by=sort_by, mode=mode, may_come=watch, as_json=as_json)

    def settings(run: RunRecord, asked: AskedRanking) -> tuple[RunRecord, AskedRanking, list[Setting]]:
        """The run with the jobs that are averaged, by what settings are ranked, and those that are shown."""
        of_jobs, of_metrics = choice.parted(run.jobs)
        among = _chosen(run, of_jobs, failed=False, sort_by=None, mode=mode, may_come=watch, as_json=as_json)
        run = dataclasses.replace(run, jobs=tuple(among))
        asked = asked._replace(metric=metric_of_settings(run, asked, may_come=watch))
        return run, asked, chosen_settings(run, asked, of_metrics, may_come=watch)

    def show(rows: int | None) -> bool:
        """Prints the page once and tells whether the run still runs."""
        run = the_run(path, run_id, assume_gone=assume_gone)
        asked = asked_of(run)
        if ranks:
            _print_ranks(run, chosen(run))
        elif average_over:
            of_them, by_metric, shown = settings(run, asked)
            print_run(run, (), (), rows, by_metric.metric, asked=by_metric, of_settings=True, curves=False)
            print_settings(of_them, by_metric, shown)
        else:
            earlier = [known for known in run_ids(run.root) if known != run.run_id]
            print_run(run, chosen(run), earlier, rows, sort_by, asked=asked, curves=watch)
        return run.status == "RUNNING"

    if as_json:
        run = the_run(path, run_id, with_configs=True, assume_gone=assume_gone)
        asked = asked_of(run)
        if average_over:
            of_them, asked, shown = settings(run, asked)
            screen.print_json({**run_json(run, list(of_them.jobs)), "settings": settings_json(of_them, asked, shown)})
        else:
            screen.print_json(run_json(run, chosen(run)))
    elif watch:
        _watch(show)
    else:
        show(rows)


def _check_goes_with_settings(given: Mapping[str, object]) -> None:
    """Refuses what lists or chooses single jobs: a mean of those alone would look like that of all seeds."""
    for name, value in given.items():
        if value:
            what = "lists" if name in ("failed", "ranks") else "chooses"
            raise click.UsageError(f"--{name} {what} jobs, and --average-over shows settings of all: leave one out.")


def _show_runs(
    path: Path,
    choice: Choice,
    sort_by: str | None,
    mode: Best | None,
    rows: int | None,
    *,
    assume_gone: bool,
    watch: bool,
    as_json: bool,
) -> None:
    def runs(rows: int | None) -> RunList:
        return RunList(found_below(path), sight(assume_gone=assume_gone), choice, sort_by, mode, rows)

    def show(rows: int | None) -> bool:
        """Prints the list once and tells whether something still runs."""
        shown = runs(rows)
        shown.show(path)
        return any(each.run.status == "RUNNING" for each in shown.listed)

    if watch:
        _watch(show)
    elif not as_json:
        show(rows)
    else:
        screen.print_json(runs(None).json())


def _print_ranks(run: RunRecord, jobs: list[JobRecord]) -> None:
    if not any(job.ranks for job in run.jobs):
        raise NothingToShowError(f"No job in {run.root} has several ranks that left a record.")
    print_ranks(run, jobs)


def _chosen(
    run: RunRecord, choice: Choice, *, failed: bool, sort_by: str | None, mode: Best | None, may_come: bool, as_json: bool
) -> list[JobRecord]:
    """The jobs that are shown; where the metric may still come, they are sorted without asking whether there is one."""
    jobs = list(run.jobs)
    if sort_by is not None:
        best = direction_of(run.facts, sort_by, mode)
        jobs = ranked(jobs, sort_by, best) if may_come else sorted_jobs(run, sort_by, best)
    if choice != Choice():
        jobs = choice.of_run(jobs)
        if not jobs and not may_come:
            raise NothingToShowError(
                unknown_name(choice.where, run.jobs) or f"No job{choice}: {wording.status_counts(run)} in {run.root}"
            )
    if not failed:
        return jobs
    jobs = [job for job in jobs if job.status in ("FAILED", "INTERRUPTED")]
    if not jobs and not may_come:
        if as_json:
            screen.print_json(run_json(run, jobs))
        raise NothingToShowError(f"No job failed or was interrupted: {wording.status_counts(run)} in {run.root}")
    return jobs


class _Page(io.StringIO):
    """What is written here is shown on the terminal a moment later."""

    def isatty(self) -> bool:
        return True


def _watch(show: Callable[[int], bool]) -> None:
    """Writes each page over the one before, until nothing runs any more or Ctrl-C."""
    home, to_line_end, to_screen_end = "\x1b[H", "\x1b[K", "\x1b[J"
    gc.enable()
    click.clear()
    runs = True
    with contextlib.suppress(KeyboardInterrupt):
        while runs:
            height = shutil.get_terminal_size().lines
            with contextlib.redirect_stdout(_Page()) as page, contextlib.redirect_stderr(page):
                runs = show(max(4, height - 10))
            lines = page.getvalue().splitlines()[: height - 1]
            sys.stdout.write(home + "".join(f"{line}{to_line_end}\n" for line in lines) + to_screen_end)
            sys.stdout.flush()
            if runs:
                time.sleep(_REFRESH_S)
