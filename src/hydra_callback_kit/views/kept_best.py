"""Which jobs are among the best, what the others need not keep, and what was deleted of it, as the record tells."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hydra_callback_kit.journal.metric import Metric
from hydra_callback_kit.journal.outcomes import CLEARED, Outcome
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.journal.values import is_number
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.flat import flat_return_value
from hydra_callback_kit.views.metrics import metric_of


class Deleted(NamedTuple):
    """What was deleted of a job.

    Attributes:
        files: how many files and links.
        size_bytes: what the files took.
    """

    files: int
    size_bytes: int


class Standing(NamedTuple):
    """How jobs stand.

    Attributes:
        best: the best jobs, the best first: completed, and with a number. Of equals the one with the lower number is better.
        worse: those that at least as many jobs as are to be kept have done better than: the other jobs with a number, and
            those with NaN and the pruned ones, which do no better than any other. Empty as long as there are not so many.
    """

    best: list[Outcome]
    worse: list[Outcome]


def value_of(metric: str, returned: Any, reported: Mapping[str, Metric]) -> float | None:
    """The number that a job is judged by.

    Args:
        metric: see `metric_of`; a fact is none, for it may change after the job has ended.
        returned: what the job returned.
        reported: what it reported, by name.
    """
    return metric_of(JobRecord(0, "COMPLETED", return_value=returned, metrics=dict(reported)), metric)


def other_values(jobs: Iterable[JobRecord], metric: str) -> Iterator[Any]:
    """What jobs have returned under the name of a metric that is no number: a text, or a boolean.

    Args:
        jobs: the jobs.
        metric: the metric's name.
    """
    for job in jobs:
        columns = flat_return_value(job.return_value) if job.status == "COMPLETED" else {}
        values = [columns[name] for name in (metric, f"return_value.{metric}") if name in columns]
        yield from (value for value in values if value is not None and not is_number(value))


def standing(outcomes: Sequence[Outcome], mode: Best, keep: int) -> Standing:
    """Tells which jobs are to be kept.

    Whoever is worse among some of the jobs is worse among all of them: so it does no harm to ask before all have ended, or
    where not all of them can be seen.

    Args:
        outcomes: jobs that have ended. Those that completed without the metric are neither better nor worse.
        mode: which value is the best.
        keep: how many jobs are to be kept.
    """
    numbers = [(each.value, each) for each in outcomes if each.value is not None and not math.isnan(each.value)]
    sign = -1 if mode == "max" else 1
    ranked = [each for _, each in sorted(numbers, key=lambda pair: (sign * pair[0], pair[1].job_num))]
    others = [each for each in outcomes if each.pruned or (each.value is not None and math.isnan(each.value))]
    return Standing(ranked[:keep], [*ranked[keep:], *others] if len(ranked) >= keep else [])


def deleted_in(run_facts: Mapping[str, Any]) -> dict[int, Deleted]:
    """What was deleted of each job of a run, by its number; a journal may be anybody's.

    Args:
        run_facts: the facts of the run.
    """
    found: dict[int, Deleted] = {}
    for name, fact in run_facts.items():
        for num, figures in fact.items() if name.startswith(CLEARED) and isinstance(fact, dict) else ():
            files, size = (figures.get(each) for each in Deleted._fields) if isinstance(figures, dict) else (None, None)
            if num.isdecimal() and type(files) is int and type(size) is int and files > 0:
                before = found.get(int(num), Deleted(0, 0))
                found[int(num)] = Deleted(before.files + files, before.size_bytes + size)
    return found


def deleted_in_words(run_facts: Mapping[str, Any]) -> str:
    """`12 files (3.4 GiB) of 4 jobs that others did better than`; empty where nothing was deleted.

    Args:
        run_facts: the facts of the run.
    """
    deleted = deleted_in(run_facts)
    return f"{sum_in_words(deleted.values())} of {wording.jobs(len(deleted))} that others did better than" if deleted else ""


def sum_in_words(deleted: Any) -> str:
    """`12 files (3.4 GiB)`.

    Args:
        deleted: what was deleted, of one job after the other.
    """
    all_of_it = list(deleted)
    count = sum(each.files for each in all_of_it)
    return f"{count} file{'' if count == 1 else 's'} ({wording.size(sum(each.size_bytes for each in all_of_it))})"
