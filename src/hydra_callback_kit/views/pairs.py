"""Jobs in pairs: two sides of a comparison, and which job of one belongs to which of the other."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hydra_callback_kit.configs.own_overrides import of_the_app
from hydra_callback_kit.journal.overrides import typed_overrides
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import as_json
from hydra_callback_kit.views.figures import figures
from hydra_callback_kit.views.metrics import metric_of


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared.

    Attributes:
        name: what people call it.
        jobs: its jobs.
    """

    name: str
    jobs: Sequence[JobRecord]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two jobs, or two groups of jobs, that differ in nothing but the side.

    Attributes:
        overrides: what they share, typed values by key.
        first: the metric of the first side; the mean where there are several jobs.
        second: that of the second.
        first_jobs: the numbers of the jobs.
        second_jobs: those of the second side.
    """

    overrides: dict[str, Any]
    first: float
    second: float
    first_jobs: tuple[int, ...]
    second_jobs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Alone:
    """A job that is in no pair.

    Attributes:
        side: 0 for the first side, 1 for the second.
        job: the job.
        why: `no partner` (the other side has no such job), `no metric` (it has not completed with the metric), or
            `partner has no metric`.
    """

    side: int
    job: JobRecord
    why: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs, and what is in none.

    Attributes:
        pairs: in the order of the first side's jobs.
        alone: the jobs without a partner.
        repeated: whether a side has several jobs of the same overrides in a pair: their mean counts.
    """

    pairs: list[Pair]
    alone: list[Alone]
    repeated: bool


def what_sets_apart(sides: Sequence[Side]) -> dict[str, tuple[Any, ...]]:
    """The overrides that are the same in all jobs of each side, and not in both sides.

    Returns:
        The value of each side by key; None for a side that was not given it.
    """
    of_each = [[typed_overrides(of_the_app(job.task_overrides)) for job in side.jobs] for side in sides]
    keys = dict.fromkeys(key for given in of_each for each in given for key in each)
    apart = {}
    for key in keys:
        values = [{_name(each.get(key)): each.get(key) for each in given} for given in of_each]
        if all(len(each) == 1 for each in values) and len({name for each in values for name in each}) > 1:
            apart[key] = tuple(value for each in values for value in each.values())
    return apart


def pairs_of(first: Side, second: Side, metric: str, *, apart: Collection[str], over: Collection[str] = ()) -> Pairs:
    """Puts the jobs of two sides in pairs.

    Args:
        first: the one side.
        second: the other.
        metric: see `metric_of`.
        apart: the keys of the overrides in which the sides differ; the other overrides of a pair are equal.
        over: the keys to average over: one pair is then two means, over the values of these that both sides have.
    """
    placed = [_placed(side, apart, over) for side in (first, second)]
    pairs: list[Pair] = []
    alone: list[Alone] = []
    repeated = False
    for name in dict.fromkeys(name for side in placed for name in side):
        here = [side[name].of_each if name in side else {} for side in placed]
        known = [
            {seed: value for seed, jobs in each.items() if (value := _value(jobs, metric)) is not None} for each in here
        ]
        shared = [seed for seed in known[0] if seed in known[1]]
        for i, each in enumerate(here):
            alone += [
                Alone(
                    i,
                    job,
                    "no metric"
                    if seed not in known[i]
                    else "partner has no metric"
                    if seed in here[1 - i]
                    else "no partner",
                )
                for seed, jobs in each.items()
                if seed not in shared
                for job in jobs
            ]
        if shared:
            repeated |= any(len(each[seed]) > 1 for each in here for seed in shared)
            one, other = (figures([each[seed] for seed in shared]).mean for each in known)
            jobs, others = (tuple(job.job_num for seed in shared for job in each[seed]) for each in here)
            pairs.append(Pair(placed[0][name].overrides, one, other, jobs, others))
    return Pairs(pairs, alone, repeated)


@dataclass(slots=True)
class _Place:
    overrides: dict[str, Any]
    of_each: dict[str, list[JobRecord]]


def _placed(side: Side, apart: Collection[str], over: Collection[str]) -> dict[str, _Place]:
    """The jobs of a side by what they share with the other, and then by what is averaged over."""
    places: dict[str, _Place] = {}
    for job in side.jobs:
        given = typed_overrides(of_the_app(job.task_overrides))
        shared = {key: value for key, value in given.items() if key not in apart and key not in over}
        seed = {key: value for key, value in given.items() if key in over and key not in apart}
        places.setdefault(_name(shared), _Place(shared, {})).of_each.setdefault(_name(seed), []).append(job)
    return places


def _value(jobs: Iterable[JobRecord], metric: str) -> float | None:
    values = [metric_of(job, metric) for job in jobs if job.status == "COMPLETED"]
    known = [float(value) for value in values if value is not None]
    return figures(known).mean if known else None


def _name(value: Any) -> str:
    return json.dumps(as_json(value), sort_keys=True)


def varied_in_pairs(pairs: Sequence[Pair]) -> list[str]:
    """The keys of the overrides that are not the same in all pairs."""
    keys = dict.fromkeys(key for pair in pairs for key in pair.overrides)
    return [key for key in keys if len({_name(pair.overrides.get(key)) for pair in pairs}) > 1]
