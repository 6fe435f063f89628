"""Settings: the jobs of a sweep that differ in nothing but a seed, and what their metrics come to together."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra_callback_kit.configs.own_overrides import of_the_app
from hydra_callback_kit.journal.overrides import override_key, typed_overrides
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import as_json, is_number
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.figures import FIGURES, Figures, figures
from hydra_callback_kit.views.flat import flat_return_value
from hydra_callback_kit.views.metrics import added_facts, metric_of
from hydra_callback_kit.views.reported import cells_of, reported_names
from hydra_callback_kit.views.results import free_name
from hydra_callback_kit.views.table_formats import Table


@dataclass(repr=False)
class Setting:
    """The jobs of one combination of overrides.

    Attributes:
        overrides: typed values by key, without those that are averaged over.
        task_overrides: the same, as Hydra passed them to the first of its jobs.
        jobs: its jobs.
        seeds: what the overrides that are averaged over were, for each of its jobs; JSON of their typed values by key.
    """

    overrides: dict[str, Any]
    task_overrides: tuple[str, ...] = ()
    jobs: list[JobRecord] = field(default_factory=list)
    seeds: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        """Its overrides, and how many jobs it has: those themselves would fill a screen."""
        count = f"{len(self.completed)} of {wording.jobs(len(self.jobs))} completed"
        return f"<Setting {wording.overrides(self.task_overrides)}: {count}>"

    @property
    def completed(self) -> list[JobRecord]:
        """Its jobs that have completed; the metrics are over these."""
        return [job for job in self.jobs if job.status == "COMPLETED"]

    @property
    def failed(self) -> list[JobRecord]:
        """Its jobs that failed or were interrupted, without those that a search has pruned."""
        return [job for job in self.jobs if job.status in ("FAILED", "INTERRUPTED") and not job.pruned]

    @property
    def samples(self) -> list[list[JobRecord]]:
        """Its completed jobs, those of one seed together: a seed that was given twice counts once."""
        of_each: dict[str, list[JobRecord]] = {}
        for seed, job in zip(self.seeds, self.jobs, strict=True):
            if job.status == "COMPLETED":
                of_each.setdefault(seed, []).append(job)
        return list(of_each.values())

    def figures(self, metric: str) -> Figures | None:
        """What a metric of its completed jobs comes to, of each seed their mean; None if none of them has it.

        Args:
            metric: see `metric_of`.
        """
        values = [[float(value) for job in jobs if (value := metric_of(job, metric)) is not None] for jobs in self.samples]
        means = [figures(each).mean for each in values if each]
        return figures(means) if means else None


def settings_of(jobs: Sequence[JobRecord], over: Collection[str]) -> list[Setting]:
    """Puts jobs together whose other overrides are the same.

    Args:
        jobs: the jobs.
        over: the keys of the overrides to average over, such as `seed`.

    Returns:
        One for each combination of the other overrides, in the order they first appear in.
    """
    settings: dict[str, Setting] = {}
    for job in jobs:
        given = of_the_app(job.task_overrides)
        others = tuple(each for each in given if override_key(each) not in over)
        values = typed_overrides(others)
        setting = settings.setdefault(_encoded(values), Setting(values, others))
        setting.jobs.append(job)
        setting.seeds.append(_encoded(typed_overrides(each for each in given if override_key(each) in over)))
    return list(settings.values())


def settings_table(jobs: Sequence[JobRecord], over: Collection[str]) -> Table:
    """The settings, ready to be written in any format.

    Nested rows have `overrides`, `jobs`, `completed` and `metrics`; flat ones a column for each override, `jobs`,
    `completed`, and `<metric>.count`, `.mean`, `.std`, `.stderr`, `.median`, `.min` and `.max`. The metrics are called as
    the columns of the results table.

    Args:
        jobs: the jobs.
        over: the keys of the overrides to average over.
    """
    settings = settings_of(jobs, over)
    names = reported_names(jobs)
    of_each = [_of_columns(setting, names) for setting in settings]
    keys = list(dict.fromkeys(key for setting in settings for key in setting.overrides))
    metrics = list(dict.fromkeys(metric for known in of_each for metric in known))
    own = ["jobs", "completed", *(f"{metric}.{figure}" for metric in metrics for figure in FIGURES)]
    taken = set(own)
    columns = [*(free_name(key, "overrides", taken) for key in keys), *own]

    def cells() -> Iterator[list[Any]]:
        for setting, known in zip(settings, of_each, strict=True):
            yield [
                *(setting.overrides.get(key) for key in keys),
                len(setting.jobs),
                len(setting.completed),
                *(getattr(known.get(metric), figure, None) for metric in metrics for figure in FIGURES),
            ]

    def nested() -> Iterator[dict[str, Any]]:
        for setting, known in zip(settings, of_each, strict=True):
            yield {
                "overrides": setting.overrides,
                "jobs": len(setting.jobs),
                "completed": len(setting.completed),
                "metrics": {metric: each.as_row() for metric, each in known.items()},
            }

    return Table(nested=nested, columns=columns, cells=cells)


def _of_columns(setting: Setting, names: Sequence[str]) -> dict[str, Figures]:
    """What every column of numbers of the results table comes to."""
    means: dict[str, list[float]] = {}
    for jobs in setting.samples:
        values: dict[str, list[float]] = {}
        for job in jobs:
            returned = flat_return_value(job.return_value)
            returned |= dict(zip(names, cells_of(job, names), strict=True))
            facts = {f"facts.{name}" if name in returned else name: fact for name, fact in added_facts(job).items()}
            for column, value in {**returned, **facts}.items():
                if is_number(value):
                    values.setdefault(column, []).append(float(value))
        for column, numbers in values.items():
            means.setdefault(column, []).append(figures(numbers).mean)
    return {column: figures(of_seeds) for column, of_seeds in means.items()}


def _encoded(overrides: dict[str, Any]) -> str:
    return json.dumps(as_json(overrides), sort_keys=True)
