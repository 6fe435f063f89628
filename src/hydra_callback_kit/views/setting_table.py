"""The table of a sweep's settings on the screen: how many seeds, what was varied, each metric with its spread."""

from collections.abc import Sequence

from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.views.figures import in_words
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.plain_table import Column
from hydra_callback_kit.views.setting_ranking import seeds_in_words, varied_in_settings
from hydra_callback_kit.views.settings import Setting


def setting_columns(settings: Sequence[Setting], sort_by: str | None) -> list[Column]:
    """Lays the table out.

    Args:
        settings: the settings in the order of the rows.
        sort_by: the metric that they are sorted by, which is the first and stays on a narrow screen.
    """
    metrics = metric_names([job for setting in settings for job in setting.jobs])
    sorted_by = sort_by and sort_by.removeprefix("return_value.")
    metrics.sort(key=lambda name: name != sorted_by)
    most = max((len(setting.jobs) for setting in settings), default=0)
    columns = [Column("seeds", [seeds_in_words(setting, most) for setting in settings], right=True)]
    failed = [str(len(setting.failed) or "") for setting in settings]
    if any(failed):
        columns.append(Column("failed", failed, right=True))
    columns += [Column(key, [_text_of(setting, key) for setting in settings]) for key in varied_in_settings(settings)]
    for name in metrics:
        cells = [figures and in_words(figures.mean, figures.stderr) for figures in (each.figures(name) for each in settings)]
        columns.append(Column(name, [cell or "" for cell in cells], needed=name == sorted_by))
    return columns


def _text_of(setting: Setting, key: str) -> str:
    """An override as it was written; a deleted key has no text."""
    return {override_key(each): each.partition("=")[2] for each in setting.task_overrides}.get(key, "")
