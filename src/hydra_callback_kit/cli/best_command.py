"""`hydra-callback-kit best`: the best job, and how to run it again."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
from hydra.errors import HydraException

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import NothingToShowError
from hydra_callback_kit.cli.completion import complete_metric
from hydra_callback_kit.cli.setting_pages import print_best_setting
from hydra_callback_kit.cli.target import (
    asked_ranking,
    json_option,
    mode_option,
    path_argument,
    ranking_options,
    run_option,
    sorted_jobs,
    the_run,
)
from hydra_callback_kit.journal import values
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.remote.mirror import is_mirror
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.best import setting_or_why_not
from hydra_callback_kit.views.commands import Commands, NotRecordedError
from hydra_callback_kit.views.direction import Best, direction_of, objectives, pareto_front, the_metric
from hydra_callback_kit.views.metrics import metric_names, metric_of
from hydra_callback_kit.views.plain_table import Column
from hydra_callback_kit.views.ranking import best_job
from hydra_callback_kit.views.reported import reported
from hydra_callback_kit.views.results import nested_row
from hydra_callback_kit.views.setting_ranking import RankBy, best_setting
from hydra_callback_kit.views.settings import settings_of
from hydra_callback_kit.views.varied import varied_overrides, varied_text
from hydra_callback_kit.views.whereabouts import copy_of, deleted_for_it


@click.command("best")
@path_argument
@click.option(
    "--sort-by",
    metavar="METRIC",
    shell_complete=complete_metric,
    help="The metric; may be left out where the jobs return only one.",
)
@mode_option
@ranking_options
@run_option
@json_option
def command(
    *,
    path: Path,
    sort_by: str | None,
    mode: Best | None,
    average_over: tuple[str, ...],
    rank_by: RankBy | None,
    run_id: str | None,
    as_json: bool,
) -> None:
    """Show the best job of a sweep, and its best setting.

    Its overrides, what it returned and reported, its directory, and the command that runs it again as a run of its own.
    METRIC is a key of the mapping that the jobs return, dotted where it is nested, or `return_value` for a bare number; or a
    metric that they reported while they ran, for its last value, or `<metric>.min` and `<metric>.max`.

    Where jobs are averaged over seeds, by --average-over or because `results_aggregator_callback` was asked to, the best
    setting comes first.
    """
    run = the_run(path, run_id, with_configs=as_json)
    screen.print_warnings(run)
    known = metric_names(run.jobs)
    if sort_by is None and not known:
        raise NothingToShowError(f"No job returned a number: {wording.status_counts(run)} in {run.root}")
    asked = asked_ranking(run, sort_by, mode, average_over, rank_by)
    front = pareto_front(run.facts, run.jobs) if sort_by is None else []
    if front:
        _print_front(run, front, as_json=as_json)
        return
    metric, mode = asked.metric or the_metric(run.facts, run.jobs), asked.mode
    if metric is None:
        raise click.UsageError(f"Say --sort-by METRIC. The jobs returned: {', '.join(known)}.")
    sorted_jobs(run, metric, mode)
    best = best_job(run.jobs, metric, direction_of(run.facts, metric, mode))
    if best is None:
        raise NothingToShowError(f"Every {metric} in {run.root} is NaN.")
    setting = None
    if asked.average_over:
        settings = settings_of(run.jobs, asked.average_over)
        setting = best_setting(settings, metric, direction_of(run.facts, metric, mode), asked.rank_by)
    try:
        again, why_not = Commands(run).new_run(best), ""
    except (NotRecordedError, HydraException) as error:
        again, why_not = None, str(error)
    if as_json:
        words = again and {"command": list(again.words), "cwd": str(again.cwd)}
        best_direction = direction_of(run.facts, metric, mode)
        of_seeds = setting_or_why_not(setting, metric, best_direction, asked.rank_by) if asked.average_over else {}
        screen.print_json({"run_id": run.run_id, **of_seeds, **nested_row(best), "again": words})
        return
    if asked.average_over:
        print_best_setting(run, setting, metric, asked)
    who = f"best single job {best.job_num}" if asked.average_over else f"job {best.job_num}"
    screen.say(screen.Styled(who, bold=True), f": {wording.overrides(best.task_overrides)}")
    screen.print_facts(
        {
            "best by": f"{metric} ({direction_of(run.facts, metric, mode)})",
            **_outcome(best),
            "directory": str(best.output_dir or "?"),
            **_copy(run, best),
            "run again": again.line() if again else why_not,
        }
    )


def _copy(run: RunRecord, job: JobRecord) -> dict[str, str]:
    """Where its files are besides, or no longer here; nothing where the copy is what is looked at."""
    copy, count = copy_of(run, job), deleted_for_it(job)
    deleted = f" ({wording.count_of_files(count)} of it deleted here)" if count else ""
    return {"copy": f"{copy}{deleted}"} if copy and not is_mirror(run.root) else {}


def _outcome(job: JobRecord) -> dict[str, str]:
    """What it returned, and the last values of what it reported besides."""
    said = {"reported": last} if (last := reported(job)) else {}
    said = {"returned": job.return_value, **said} if job.return_value is not None or not said else said
    return {name: json.dumps(values.as_json(value), ensure_ascii=False) for name, value in said.items()}


def _print_front(run: RunRecord, front: Sequence[JobRecord], *, as_json: bool) -> None:
    """Of several objectives no single job is the best."""
    if as_json:
        screen.print_json([{"run_id": run.run_id, **nested_row(job)} for job in front])
        return
    varied = varied_overrides(run.jobs)
    screen.say(f"{wording.jobs(len(front))} that no other beats in all objectives; --sort-by METRIC ranks by one of them")
    screen.say()
    screen.print_table(
        [
            Column("job", [str(job.job_num) for job in front], right=True),
            *(
                Column(f"{name} ({best})", [f"{metric_of(job, name):.6g}" for job in front], right=True)
                for name, best in objectives(run.facts)
            ),
            Column("overrides", [varied_text(job, varied) for job in front]),
        ]
    )
