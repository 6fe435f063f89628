"""The settings on the page: the best of them as a table, and what the plot of their spread shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.asked_ranking import AskedRanking
from hydra_callback_kit.views.best import by_what, few_seeds, spread_in_words
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.figures import in_words
from hydra_callback_kit.views.metrics import metric_of
from hydra_callback_kit.views.report.columns import compact_numbers, links
from hydra_callback_kit.views.setting_ranking import (
    IN_WORDS,
    most_seeds,
    ranked_settings,
    score,
    seeds_in_words,
    seeds_with,
    setting_in_words,
    varied_in_settings,
)
from hydra_callback_kit.views.settings import Setting, settings_of

MAX_SETTINGS: Final = 50
"""Settings that have a row."""
MAX_SEEDS: Final = 10
"""Jobs of a setting that are named."""
MAX_METRICS: Final = 5
"""Metrics that have a column, the one that settings are ranked by among them."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting, ready to be shown.

    Attributes:
        rank: 1 for the best; None for one that cannot be ranked.
        seeds: how many of its seeds completed: `3`, `2 of 3`.
        fewer: whether those are fewer than others have.
        failed: how many of its jobs failed or were interrupted.
        figures: its metrics, mean ± standard error; empty where there is none.
        score: what it is ranked by, where that is not the mean.
        overrides: what sets it apart.
        jobs: the numbers of its jobs, as many as are named, with their links.
        more: how many are not named.
    """

    rank: int | None
    seeds: str
    fewer: bool
    failed: int
    figures: list[str]
    score: str
    overrides: list[str]
    jobs: list[tuple[int, str | None]]
    more: int


@dataclass(frozen=True, slots=True)
class BestSetting:
    """The best setting, ready to be shown.

    Attributes:
        setting: the setting.
        by: what it is the best by: `accuracy (max of the mean over seed)`.
        value: its metric: `0.981 ± 0.004`.
        few: ` of 3 of 4 seeds` where it has fewer than others; else empty.
        spread: what that is: `mean ± standard error of 3 seeds; 0.97 to 0.99`.
        overrides: what sets it apart.
    """

    setting: Setting
    by: str
    value: str
    few: str
    spread: str
    overrides: list[str]


class Settings:
    """The settings of a sweep as they are on the page.

    Args:
        run: the sweep.
        asked: how they are ranked: with a metric, its mode, and keys to average over.
        metrics: the names of all metrics.
        beside: the directory that the page will lie in.
        one_best: whether one of them is the best: not where several objectives are sought.

    Attributes:
        ranked: all settings, the best first.
        metrics: those that have a column, the one that settings are ranked by first.
        mean_is: what stands in these columns.
        by: how they are sorted.
        rank_by: the name of the column with what they are ranked by; empty where that is the mean.
        best: the best of them; None if none can be ranked, or none is to be.
        rows: those that are shown.
        more: how many are not shown.
    """

    mean_is = IN_WORDS

    def __init__(
        self, run: RunRecord, asked: AskedRanking, metrics: Sequence[str], beside: Path, *, one_best: bool = True
    ) -> None:
        self._sweeps = list(dict.fromkeys(job.root for job in run.jobs))  # the page may be of several
        self._asked, self._metric = asked, asked.metric or ""
        self._mode: Best = asked.mode or "max"
        self.ranked = ranked_settings(settings_of(run.jobs, asked.average_over), self._metric, self._mode, asked.rank_by)
        self._varied = set(varied_in_settings(self.ranked))
        self.metrics = sorted(metrics, key=lambda name: name != self._metric)[:MAX_METRICS]
        self.by = by_what(self._mode, asked)
        self.rank_by = "" if asked.rank_by == "mean" else asked.rank_by.replace("_", " ")
        most = most_seeds(self.ranked)
        self._shown = self.ranked[:MAX_SETTINGS]
        self.rows = [self._row(rank, setting, most, run.root, beside) for rank, setting in enumerate(self._shown, start=1)]
        self.more = len(self.ranked) - len(self._shown)
        self.best = self._best() if one_best else None

    @property
    def any_failed(self) -> bool:
        """Whether a job of a setting that is shown failed."""
        return any(row.failed for row in self.rows)

    def rows_among(self, shown: Sequence[JobRecord]) -> list[tuple[str, dict[int, str]]]:
        """What the settings are called, and the seed of each of their jobs by its place; the best first.

        Args:
            shown: the jobs that are spelled out on the page.
        """
        rows = {id(job): row for row, job in enumerate(shown)}
        return [
            (
                setting_in_words(each, self._varied),
                {rows[id(job)]: seed for job, seed in zip(each.jobs, each.seeds, strict=True) if id(job) in rows},
            )
            for each in self.ranked
        ]

    def data(self) -> dict[str, Any]:
        """What the plot shows: of each setting its seeds, their mean and its error."""
        return {
            "metric": self._metric,
            "rank_by": self.rank_by,
            "shown": [
                {
                    "name": setting_in_words(setting, self._varied),
                    "rank": row.rank,
                    "of": self._sweeps.index(setting.jobs[0].root),
                    "seeds": row.seeds,
                    "jobs": [job.job_num for job, _ in known],
                    "values": compact_numbers(value for _, value in known),
                    "mean": compact_numbers([figures.mean])[0],
                    "error": compact_numbers([figures.stderr])[0],
                    "score": compact_numbers([self._score(setting)])[0],
                }
                for setting, row in zip(self._shown, self.rows, strict=True)
                if (figures := setting.figures(self._metric)) is not None
                for known in [_values(setting.completed, self._metric)]
            ],
        }

    def _row(self, rank: int, setting: Setting, most: int, root: Path, beside: Path) -> SettingRow:
        found, named = self._score(setting), setting.jobs[:MAX_SEEDS]
        figures = [setting.figures(metric) for metric in self.metrics]
        return SettingRow(
            rank=rank if found is not None and not math.isnan(found) else None,
            seeds=seeds_in_words(setting, most, self._metric),
            fewer=seeds_with(setting, self._metric) < most,
            failed=len(setting.failed),
            figures=["" if each is None else in_words(each.mean, each.stderr) for each in figures],
            score="" if found is None else f"{found:.6g}",
            overrides=self._overrides(setting),
            jobs=list(zip((job.job_num for job in named), links(named, root, beside), strict=True)),
            more=len(setting.jobs) - len(named),
        )

    def _best(self) -> BestSetting | None:
        first = self.ranked[0]
        figures = first.figures(self._metric)
        if self.rows[0].rank is None or figures is None:
            return None
        value = in_words(figures.mean, figures.stderr)
        few = few_seeds(first, self.ranked, self._metric)
        return BestSetting(
            first, f"{self._metric} ({self.by})", value, few, spread_in_words(figures), self._overrides(first)
        )

    def _score(self, setting: Setting) -> float | None:
        figures = setting.figures(self._metric)
        return None if figures is None else score(figures, self._asked.rank_by, self._mode)

    def _overrides(self, setting: Setting) -> list[str]:
        return [each for each in setting.task_overrides if not self._varied or override_key(each) in self._varied]


def _values(jobs: Sequence[JobRecord], metric: str) -> list[tuple[JobRecord, float]]:
    return [(job, value) for job in jobs if (value := metric_of(job, metric)) is not None]
