"""What PATH means: the run that lies there, the runs below, or the latest run here; and the options of several commands."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from hydra_callback_kit.cli.below import (
    NothingToShowError,
    directories_of,
    found_below,
    holds_runs,
    latest_here,
    without_link,
)
from hydra_callback_kit.cli.completion import RunPath, complete_override, complete_run_id
from hydra_callback_kit.journal.batch_system import Slurm
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.life import Sight
from hydra_callback_kit.journal.printable import on_one_line
from hydra_callback_kit.journal.reader import read_run, run_ids
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import AskedRanking, ranking_asked, unknown_key
from hydra_callback_kit.views.direction import Best, direction_of, the_metric
from hydra_callback_kit.views.metrics import metric_names, metric_of
from hydra_callback_kit.views.ranking import ranked
from hydra_callback_kit.views.setting_ranking import RANK_BY, RankBy

Command = TypeVar("Command", bound=Callable[..., Any])


MAX_NAMED: Final = 10
"""Directories that are named where one has to be chosen: they fit a screen."""


def path_argument(command: Command) -> Command:
    """The argument PATH, which is the latest run here where it is left out."""

    @functools.wraps(command)
    def with_path(*, path: Path | None, **given: Any) -> Any:
        return command(path=latest_here() if path is None else path, **given)

    return optional_path_argument(with_path)  # type: ignore[return-value]  # it takes what the command takes


def optional_path_argument(command: Command) -> Command:
    """The argument PATH, which is None where it is left out; or a URL, of which a copy is read."""
    return click.argument("path", required=False, type=RunPath(exists=True, path_type=Path))(command)


def run_option(command: Command) -> Command:
    """The option `--run`."""
    text = "The id of an earlier run, where a directory was used more than once."
    return click.option("--run", "run_id", metavar="ID", help=text, shell_complete=complete_run_id)(command)


def json_option(command: Command) -> Command:
    """The option `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")(command)


def assume_gone_option(command: Command) -> Command:
    """The option `--assume-gone`."""
    text = "Take for gone what nobody here can know: processes on other machines or in other containers, jobs in a queue."
    return click.option("--assume-gone", is_flag=True, help=text)(command)


def mode_option(command: Command) -> Command:
    """The option `--mode`."""
    text = (
        "Which value is the best.  "
        "[default: as on record; else the sweeper's direction; else min for a loss or an error, max for the rest]"
    )
    return click.option("--mode", type=click.Choice(["max", "min"]), help=text)(command)


def ranking_options(command: Command) -> Command:
    """The options `--average-over` and `--rank-by`."""
    over = "Average over this override, such as seed, and rank settings; may be given again.  [default: as on record]"
    by = "By what of a setting's metric.  [default: the one on record, else mean]"
    command = click.option("--rank-by", type=click.Choice(RANK_BY), help=by)(command)
    return click.option("--average-over", metavar="KEY", multiple=True, help=over, shell_complete=complete_override)(command)


def asked_ranking(
    run: RunRecord, metric: str | None, mode: Best | None, over: Sequence[str], rank_by: RankBy | None
) -> AskedRanking:
    """How a run is to be ranked: as the options say, else as its record does.

    Raises:
        click.UsageError: if no job was given an override that is to be averaged over, or settings are to be ranked and
            nothing is averaged.
    """
    keys = [key.strip().lstrip("+") for each in over for key in each.strip("[]").split(",")]
    unknown = unknown_key(run.jobs, keys)
    if unknown:
        raise click.UsageError(unknown.replace("average_over", "--average-over", 1))
    asked = ranking_asked(run, metric, mode, keys, rank_by)
    if rank_by is not None and not asked.average_over:
        raise click.UsageError(f"--rank-by {rank_by} ranks settings. Say what to average over, such as --average-over seed.")
    return asked


def chosen_metric(runs: Sequence[RunRecord], asked: str | None) -> str:
    """The metric that a command is about: what was asked for, or the one that can be known.

    Raises:
        NothingToShowError: if no job has such a number, or any.
        click.UsageError: if none was asked for and several could be meant.
    """
    known = list(dict.fromkeys(name for run in runs for name in metric_names(run.jobs)))
    if not known:
        raise NothingToShowError(f"No job returned a number: {wording.status_counts(runs[0])} in {runs[0].root}")
    metric = asked or the_metric(runs[0].facts, runs[0].jobs)
    if metric is None:
        raise click.UsageError(f"Say --metric METRIC. The jobs returned: {', '.join(known)}.")
    if metric not in known and all(metric_of(job, metric) is None for run in runs for job in run.jobs):
        raise NothingToShowError(wording.unknown_metric(metric, known))
    return metric


def the_run(path: Path, run_id: str | None = None, *, with_configs: bool = False, assume_gone: bool = False) -> RunRecord:
    """Reads the run that a path means.

    Args:
        path: a run's directory, or a folder above one single run.
        run_id: which of the runs in that directory; None for the latest.
        with_configs: whether the jobs' configs are needed; they are most of a journal.
        assume_gone: whether what nobody knows is taken to be gone.

    Raises:
        NothingToShowError: if there is none.
        click.UsageError: if there are several.
    """
    found = directories(path)
    if len(found) > 1:
        named = [f"  {on_one_line(str(directory))}" for directory in found[:MAX_NAMED]]
        listed = "\n".join([*named, "  ..."] if len(found) > MAX_NAMED else named)
        raise click.UsageError(f"{path} holds {len(found)} runs, newest first; give the path of one of them:\n{listed}")
    if run_id is not None and run_id not in run_ids(found[0]):
        known = "\n".join(f"  {on_one_line(known)}" for known in run_ids(found[0]))
        raise click.UsageError(f"There is no run {run_id} in {found[0]}. Recorded are:\n{known}")
    return read_run(found[0], run_id, without=() if with_configs else CONFIGS, sight=sight(assume_gone=assume_gone))


def sight(*, assume_gone: bool = False) -> Sight:
    """What a command can find out about processes: the batch system is asked, once for all that it shows.

    Args:
        assume_gone: whether what nobody knows is taken to be gone.
    """
    return Sight(batch_system=click.get_current_context().ensure_object(Slurm), assume_gone=assume_gone)


def directories(path: Path) -> list[Path]:
    """The directory itself if it holds a run, or those below that do, newest run first.

    Raises:
        NothingToShowError: if there is none at `path` or below.
    """
    start = without_link(path)
    return [start] if holds_runs(start) else directories_of(found_below(path))


def latest_runs(path: Path, *, with_configs: bool = False, assume_gone: bool = False) -> list[RunRecord]:
    """Reads the latest run of each directory at a path and below it, newest first.

    Args:
        path: a run's directory, or a folder above.
        with_configs: whether the jobs' configs are needed.
        assume_gone: whether what nobody knows is taken to be gone.
    """
    without = () if with_configs else CONFIGS
    seen = sight(assume_gone=assume_gone)
    return [read_run(directory, without=without, sight=seen) for directory in directories(path)]


def sorted_jobs(run: RunRecord, metric: str, mode: Best | None) -> list[JobRecord]:
    """Sorts a run's jobs by a metric, the best first.

    Raises:
        NothingToShowError: if no job has it.
    """
    if all(metric_of(job, metric) is None for job in run.jobs):
        raise NothingToShowError(wording.unknown_metric(metric, metric_names(run.jobs)))
    return ranked(run.jobs, metric, direction_of(run.facts, metric, mode))
