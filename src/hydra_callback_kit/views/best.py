"""The best of a sweep for files and the log: its best setting where jobs are averaged over seeds, and its best job."""

from collections.abc import Sequence
from typing import Any

from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import AskedRanking
from hydra_callback_kit.views.direction import Best, direction_of, objectives, pareto_front
from hydra_callback_kit.views.figures import Figures, in_words
from hydra_callback_kit.views.flat import Row
from hydra_callback_kit.views.metrics import metric_of
from hydra_callback_kit.views.ranking import best_job, ranking_text
from hydra_callback_kit.views.results import nested_row
from hydra_callback_kit.views.setting_ranking import (
    IN_WORDS,
    RankBy,
    best_setting,
    most_seeds,
    rank_by_in_words,
    seeds_in_words,
    seeds_with,
    setting_in_words,
    settings_text,
    varied_in_settings,
)
from hydra_callback_kit.views.settings import Setting, settings_of


def best_row(run: RunRecord, asked: AskedRanking, *, include_config: bool = True) -> Row | None:
    """The best of a sweep as the object of `best.json`.

    Args:
        run: the sweep, or a single run.
        asked: how it is ranked, with a metric.
        include_config: whether the job's config is part of it.

    Returns:
        The best job's row; with keys to average over an object with `setting` (see `setting_or_why_not`) and `job`, the row
        of the best single job. `jobs_running` if others run that may be better. None if no job completed with the metric.
    """
    metric = asked.metric or ""
    mode = direction_of(run.facts, metric, asked.mode)
    job = best_job(run.jobs, metric, mode)
    if job is None:
        return None
    running: Row = {"jobs_running": run.count("RUNNING")} if run.count("RUNNING") else {}
    row = nested_row(job, include_config=include_config)
    if not asked.average_over:
        return {**row, **running}
    setting = best_setting(settings_of(run.jobs, asked.average_over), metric, mode, asked.rank_by)
    return {**setting_or_why_not(setting, metric, mode, asked.rank_by), "job": row, **running}


def setting_or_why_not(setting: Setting | None, metric: str, mode: Best, rank_by: RankBy) -> Row:
    """The best setting for JSON: `setting` (see `setting_row`); null where none can be ranked, and `no_setting` says why."""
    if setting is None:
        return {"setting": None, "no_setting": why_no_setting(metric, rank_by)}
    return {"setting": setting_row(setting, metric, mode, rank_by)}


def setting_row(setting: Setting, metric: str, mode: Best, rank_by: RankBy) -> Row:
    """A setting as an object, for JSON.

    Returns:
        `overrides`, `jobs` (their numbers), `completed`, `failed`, `metric`, `mode`, `rank_by`, and `figures` (see
        `Figures`; null where no job has the metric).
    """
    figures = setting.figures(metric)
    return {
        "overrides": setting.overrides,
        "jobs": [job.job_num for job in setting.jobs],
        "completed": len(setting.completed),
        "failed": len(setting.failed),
        "metric": metric,
        "mode": mode,
        "rank_by": rank_by,
        "figures": None if figures is None else figures.as_row(),
    }


def best_in_words(run: RunRecord, asked: AskedRanking, top_k: int) -> str | None:
    """The table of the best for the log, with a head; None if no job completed with the metric.

    Args:
        run: the sweep, or a single run.
        asked: how it is ranked, with a metric.
        top_k: how many rows it has.
    """
    metric = asked.metric or ""
    mode = direction_of(run.facts, metric, asked.mode)
    job = best_job(run.jobs, metric, mode)
    if job is None:
        return None
    if not asked.average_over:
        return f"Best jobs by {metric} ({mode}):\n{ranking_text(run.jobs, metric, mode, top_k).rstrip()}"
    settings = settings_of(run.jobs, asked.average_over)
    table = settings_text(settings, metric, mode, asked.rank_by, top_k)
    if best_setting(settings, metric, mode, asked.rank_by) is None:
        table += f"No setting is the best: {why_no_setting(metric, asked.rank_by)}.\n"
    single = f"The best single job is {job.job_num}, with {_number(metric_of(job, metric))}"
    return f"Best settings by {metric} ({by_what(mode, asked)}):\n{table}{single}: {wording.overrides(job.task_overrides)}"


def best_in_short(run: RunRecord, asked: AskedRanking, *, hint: bool = True) -> str:
    """The best of a sweep on one line, by what is asked for or what its sweeper seeks; empty where neither says anything.

    Args:
        run: the sweep, or a single run.
        asked: how it is ranked.
        hint: whether it is said how to see all settings.
    """
    sought = objectives(run.facts)
    if asked.metric is None and len(sought) == 1:
        asked = asked._replace(metric=sought[0][0])
    if asked.metric is None and sought:
        front = pareto_front(run.facts, run.jobs)
        return f"{wording.jobs(len(front))} that no other beats in all objectives" if front else ""
    if asked.metric is None or run.mode != "MULTIRUN":
        return ""
    mode = direction_of(run.facts, asked.metric, asked.mode)
    if not asked.average_over:
        job = best_job(run.jobs, asked.metric, mode)
        value = None if job is None else metric_of(job, asked.metric)
        return "" if job is None else f"job {job.job_num}, with {asked.metric} {_number(value)} ({mode})"
    settings = settings_of(run.jobs, asked.average_over)
    setting = best_setting(settings, asked.metric, mode, asked.rank_by)
    figures = None if setting is None else setting.figures(asked.metric)
    if setting is None or figures is None:
        return ""
    which = setting_in_words(setting, varied_in_settings(settings))
    over = " ".join(f"--average-over {key}" for key in asked.average_over)
    more = f"; {over} shows all settings" if hint else ""
    of = few_seeds(setting, settings, asked.metric)
    spread = in_words(figures.mean, figures.stderr)
    return f"{which}, with {asked.metric} {spread}{of} ({by_what(mode, asked)}{more})"


def few_seeds(setting: Setting, settings: Sequence[Setting], metric: str) -> str:
    """` of 3 of 4 seeds` where the mean of a setting rests on fewer than others have; else empty.

    Args:
        setting: the setting.
        settings: all settings of the sweep.
        metric: of what the mean is.
    """
    most = most_seeds(settings)
    return f" of {seeds_in_words(setting, most, metric)} seeds" if seeds_with(setting, metric) < most else ""


def spread_in_words(figures: Figures) -> str:
    """What a setting's metric comes to: `mean ± standard error of 3 seeds; 0.97 to 0.99`; `of 1 seed`, without one."""
    if figures.count == 1:
        return "of 1 seed"
    return f"{IN_WORDS} of {wording.seeds(figures.count)}; {figures.min:.6g} to {figures.max:.6g}"


def why_no_setting(metric: str, rank_by: RankBy) -> str:
    """What to say where no setting can be ranked, although a job has the metric."""
    if rank_by == "lower_bound":
        return f"no setting has {metric} of two seeds, which lower_bound needs: of one nobody knows the error"
    return f"in each setting a job has {metric} NaN"


def by_what(mode: Best, asked: AskedRanking) -> str:
    """By what settings are ranked: `max of the mean over seed`."""
    return f"{mode} of the {rank_by_in_words(asked.rank_by, mode)} over {', '.join(asked.average_over)}"


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
