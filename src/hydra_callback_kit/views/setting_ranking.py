"""Which settings did best by a metric, over their seeds."""

import math
from collections.abc import Collection, Sequence
from typing import Final, Literal, get_args

from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.figures import Figures, in_words
from hydra_callback_kit.views.metrics import metric_of
from hydra_callback_kit.views.settings import Setting
from hydra_callback_kit.views.table_formats import markdown

RankBy = Literal["mean", "median", "min", "max", "lower_bound"]
"""By what settings are ranked. `lower_bound`: the mean, worse by its standard error."""

RANK_BY: Final = get_args(RankBy)

IN_WORDS: Final = "mean ± standard error"
"""What stands in a cell of a table for people."""


def score(figures: Figures, rank_by: RankBy, mode: Best) -> float | None:
    """The number by which a setting is ranked; None where it has none.

    Args:
        figures: what the metric of its jobs comes to.
        rank_by: by what.
        mode: whether `max` or `min` is best, which tells which end of the interval is the worse one.
    """
    if rank_by != "lower_bound":
        found: float = getattr(figures, rank_by)
        return found
    if figures.stderr is None:
        return None  # what a single seed is worth, nobody knows
    return figures.mean - figures.stderr if mode == "max" else figures.mean + figures.stderr


def rank_by_in_words(rank_by: RankBy, mode: Best) -> str:
    """`mean`, `median` and so on; `mean - standard error` for the lower bound, with a `+` where the smallest is best."""
    return f"mean {'-' if mode == 'max' else '+'} standard error" if rank_by == "lower_bound" else rank_by


def ranked_settings(settings: Sequence[Setting], metric: str, mode: Best = "max", rank_by: RankBy = "mean") -> list[Setting]:
    """Sorts settings by a metric.

    Args:
        settings: the settings.
        metric: see `metric_of`.
        mode: whether `max` or `min` is best.
        rank_by: by what of the metric's figures.

    Returns:
        The best first; then those with NaN, those of which nothing is known by which they could be ranked (of a single seed
        no error), and those without the metric. Equals keep their order.
    """

    def place(setting: Setting) -> tuple[int, float]:
        figures = setting.figures(metric)
        if figures is None:
            return 3, 0.0
        value = score(figures, rank_by, mode)
        if value is None:
            return 2, -figures.mean if mode == "max" else figures.mean
        return (1, 0.0) if math.isnan(value) else (0, -value if mode == "max" else value)

    return sorted(settings, key=place)


def best_setting(settings: Sequence[Setting], metric: str, mode: Best = "max", rank_by: RankBy = "mean") -> Setting | None:
    """The best setting; None if none can be ranked by a number.

    Args:
        settings: the settings.
        metric: see `metric_of`.
        mode: whether `max` or `min` is best.
        rank_by: by what of the metric's figures.
    """
    first = next(iter(ranked_settings(settings, metric, mode, rank_by)), None)
    figures = None if first is None else first.figures(metric)
    value = None if figures is None else score(figures, rank_by, mode)
    return None if value is None or math.isnan(value) else first


def most_seeds(settings: Sequence[Setting]) -> int:
    """The most seeds that a setting of a sweep was given."""
    return max((len(set(setting.seeds)) for setting in settings), default=0)


def seeds_with(setting: Setting, metric: str | None) -> int:
    """How many of its seeds a mean rests on: those of which a job completed with the metric; None for any.

    One that was given twice counts once.
    """
    return len({seed for seed, job in zip(setting.seeds, setting.jobs, strict=True) if _counts(job, metric)})


def seeds_in_words(setting: Setting, most: int, metric: str | None) -> str:
    """How many seeds a mean rests on.

    Args:
        setting: the setting.
        most: the most seeds that a setting of the sweep has.
        metric: of what the mean is; None for any.

    Returns:
        `3`, or `2 of 3` where others have more, or where one failed, still runs or has no such number; `3 (6 jobs)` where
        seeds were given more than once.
    """
    count = seeds_with(setting, metric)
    jobs = sum(_counts(job, metric) for job in setting.jobs)
    twice = f" ({wording.jobs(jobs)})" if jobs > count else ""
    return f"{count}{twice}" if count == most else f"{count} of {most}{twice}"


def _counts(job: JobRecord, metric: str | None) -> bool:
    return job.status == "COMPLETED" and (metric is None or metric_of(job, metric) is not None)


def varied_in_settings(settings: Sequence[Setting]) -> list[str]:
    """The keys of the overrides that are not the same in all settings, in the order they first appear in."""
    texts = [dict.fromkeys(setting.task_overrides) for setting in settings]
    keys = dict.fromkeys(key for setting in settings for key in setting.overrides)
    shared = set.intersection(*(set(each) for each in texts)) if texts else set()
    same = {override_key(each) for each in shared}
    return [key for key in keys if key not in same]


def setting_in_words(setting: Setting, varied: Collection[str]) -> str:
    """What sets a setting apart from the others, on one line; all its overrides where nothing does."""
    return wording.overrides([each for each in setting.task_overrides if not varied or override_key(each) in varied])


def settings_text(
    settings: Sequence[Setting], metric: str, mode: Best = "max", rank_by: RankBy = "mean", top_k: int = 10
) -> str:
    """The best settings as a table for people, one a line: its seeds, the metric with its spread, what it is.

    Args:
        settings: all settings of the sweep.
        metric: see `metric_of`.
        mode: whether `max` or `min` is best.
        rank_by: by what they are ranked; where that is not in the other columns, it has one.
        top_k: how many are shown.
    """
    varied, most = varied_in_settings(settings), most_seeds(settings)
    further = [rank_by] if rank_by != "mean" else []
    rows = []
    for setting in ranked_settings(settings, metric, mode, rank_by)[:top_k]:
        figures = setting.figures(metric)
        spread = None if figures is None else in_words(figures.mean, figures.stderr)
        rest = [None if figures is None else score(figures, rank_by, mode) for _ in further]
        rows.append([seeds_in_words(setting, most, metric), spread, *rest, setting_in_words(setting, varied)])
    return markdown(["seeds", f"{metric} ({IN_WORDS})", *further, "overrides"], rows, for_a_page=False)
