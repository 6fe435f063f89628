"""The table of a sweep's settings on the screen: how many seeds, what was varied, each metric with its spread."""

from collections.abc import Sequence

from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.figures import in_words
from hydra_callback_kit.views.metrics import metrics_with
from hydra_callback_kit.views.plain_table import Column
from hydra_callback_kit.views.setting_ranking import most_seeds, seeds_in_words, varied_in_settings
from hydra_callback_kit.views.settings import Setting


def setting_columns(settings: Sequence[Setting], sort_by: str | None) -> list[Column]:
    """Lays the table out.

    Args:
        settings: the settings in the order of the rows.
        sort_by: the metric that they are sorted by, which is the first and stays on a narrow screen.
    """
    metrics = metrics_with([job for setting in settings for job in setting.jobs], sort_by)
    most = most_seeds(settings)
    columns = [Column("seeds", [seeds_in_words(setting, most, sort_by) for setting in settings], right=True)]
    failed = [str(len(setting.failed) or "") for setting in settings]
    if any(failed):
        columns.append(Column("failed", failed, right=True))
    columns += [Column(key, [_text_of(setting, key) for setting in settings]) for key in varied_in_settings(settings)]
    for place, name in enumerate(metrics):
        cells = [_cell(setting, name, sort_by) for setting in settings]
        columns.append(Column(name, cells, needed=place == 0 and sort_by is not None))
    return columns


def _cell(setting: Setting, metric: str, sort_by: str | None) -> str:
    """The mean and its error, and on how many seeds they rest where these are fewer than those that `seeds` speaks of."""
    figures = setting.figures(metric)
    if figures is None:
        return ""
    sorted_by = setting.figures(sort_by) if sort_by is not None else None
    others = len(setting.samples) if sort_by is None else sorted_by.count if sorted_by else 0
    fewer = wording.seeds(figures.count) if figures.count < others else ""
    return in_words(figures.mean, figures.stderr) + (f" ({fewer})" if fewer else "")


def _text_of(setting: Setting, key: str) -> str:
    """An override as it was written; a deleted key has no text."""
    return {override_key(each): each.partition("=")[2] for each in setting.task_overrides}.get(key, "")
