"""What `show` and `best` say of a sweep's settings, for people and for machines."""

from collections.abc import Sequence
from typing import Any

from hydra_callback_kit.cli import screen
from hydra_callback_kit.cli.below import NothingToShowError
from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import AskedRanking
from hydra_callback_kit.views.best import by_what, few_seeds, setting_row, spread_in_words, why_no_setting
from hydra_callback_kit.views.comparisons import Comparison, unknown_name
from hydra_callback_kit.views.direction import direction_of, the_metric
from hydra_callback_kit.views.figures import in_words
from hydra_callback_kit.views.metrics import metric_names, metric_of
from hydra_callback_kit.views.setting_ranking import IN_WORDS, ranked_settings, score, setting_in_words, varied_in_settings
from hydra_callback_kit.views.setting_table import setting_columns
from hydra_callback_kit.views.settings import Setting, settings_of


def metric_of_settings(run: RunRecord, asked: AskedRanking, *, may_come: bool = False) -> str | None:
    """The metric that settings are ranked by; None where it is not known.

    Args:
        run: the sweep.
        asked: how they are ranked.
        may_come: whether the metric may still come, as it may as long as no job has any: then it is not asked whether there
            is one.

    Raises:
        NothingToShowError: if there is no such metric.
    """
    known = metric_names(run.jobs)
    if asked.metric is not None and known and not may_come and not _has(run, asked.metric):
        raise NothingToShowError(wording.unknown_metric(asked.metric, known))
    return asked.metric or the_metric(run.facts, run.jobs)


def chosen_settings(run: RunRecord, asked: AskedRanking, where: Sequence[Comparison], *, may_come: bool) -> list[Setting]:
    """The settings that are shown, the best first where a metric is known.

    Args:
        run: the sweep, with the jobs that count.
        asked: how they are ranked, with keys to average over.
        where: comparisons of metrics; asked of what settings are ranked by, such as their mean.
        may_come: whether such settings may still come: then there may be none.

    Raises:
        NothingToShowError: if there is none, or no job has such a metric.
    """

    def holds(setting: Setting, each: Comparison) -> bool:
        figures = setting.figures(each.name)
        mode = direction_of(run.facts, each.name, asked.mode if each.name == asked.metric else None)
        value = None if figures is None else score(figures, asked.rank_by, mode)
        return value is not None and each.holds_for(value)

    settings = _in_order(run, asked, asked.metric)
    chosen = [setting for setting in settings if all(holds(setting, each) for each in where)]
    if where and not chosen and not may_come:
        over = f"{asked.rank_by.replace('_', ' ')} over {', '.join(asked.average_over)}"
        none = f"No setting has {' and '.join(each.text for each in where)} by its {over}: none of {len(settings)}"
        raise NothingToShowError(unknown_name(where, run.jobs) or none)
    return chosen


def print_settings(run: RunRecord, asked: AskedRanking, settings: Sequence[Setting]) -> None:
    """Prints the table of a sweep's settings.

    Args:
        run: the sweep.
        asked: how they are ranked, with keys to average over.
        settings: those that are shown.
    """
    if not settings:
        return
    metric = asked.metric
    screen.say()
    screen.print_table(setting_columns(settings, metric))
    ranked = "" if metric is None else f", sorted by {metric}: {by_what(direction_of(run.facts, metric, asked.mode), asked)}"
    screen.say(f"{IN_WORDS}{ranked}")


def settings_json(run: RunRecord, asked: AskedRanking, settings: Sequence[Setting]) -> list[dict[str, Any]]:
    """The settings for machines.

    Args:
        run: the sweep.
        asked: as above.
        settings: those that are shown.
    """
    metric = asked.metric
    if metric is None:
        return [{"overrides": each.overrides, "jobs": [job.job_num for job in each.jobs]} for each in settings]
    mode = direction_of(run.facts, metric, asked.mode)
    return [setting_row(each, metric, mode, asked.rank_by) for each in settings]


def print_best_setting(run: RunRecord, setting: Setting | None, metric: str, asked: AskedRanking) -> None:
    """Says which setting is the best.

    Args:
        run: the sweep.
        setting: the setting; None if none can be ranked.
        metric: by which metric.
        asked: as above.
    """
    if setting is None:
        screen.say(screen.Styled("best setting", bold=True), f": none: {why_no_setting(metric, asked.rank_by)}")
        screen.say()
        return
    settings = settings_of(run.jobs, asked.average_over)
    varied = varied_in_settings(settings)
    mode = direction_of(run.facts, metric, asked.mode)
    figures = setting.figures(metric)
    screen.say(screen.Styled("best setting", bold=True), f": {setting_in_words(setting, varied)}")
    facts = {"best by": f"{metric} ({by_what(mode, asked)})"}
    if figures is not None:
        few = few_seeds(setting, settings, metric)
        facts[metric] = f"{in_words(figures.mean, figures.stderr)}{few} ({spread_in_words(figures)})"
    facts["jobs"] = ", ".join(str(job.job_num) for job in setting.jobs)
    if setting.failed:
        facts["failed"] = ", ".join(str(job.job_num) for job in setting.failed)
    screen.print_facts(facts)
    screen.say()


def _has(run: RunRecord, metric: str) -> bool:
    return any(job.status == "COMPLETED" and metric_of(job, metric) is not None for job in run.jobs)


def _in_order(run: RunRecord, asked: AskedRanking, metric: str | None) -> list[Setting]:
    settings = settings_of(run.jobs, asked.average_over)
    if metric is None:
        return settings
    return ranked_settings(settings, metric, direction_of(run.facts, metric, asked.mode), asked.rank_by)
