"""By what a sweep's jobs or settings are ranked: as its callbacks were asked, or whoever looks at it."""

from collections.abc import Sequence
from typing import Final, NamedTuple, get_args

from hydra_callback_kit.configs.own_overrides import of_the_app
from hydra_callback_kit.journal.overrides import override_key
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.direction import Best
from hydra_callback_kit.views.setting_ranking import RANK_BY, RankBy

FACT: Final = "ranking"
"""The fact of a run that says how its results are ranked: `metric`, `mode`, `average_over`, `rank_by`."""
KEPT_BY: Final = "kept_by"
"""The fact of a run that says by what `keep_best_callback` judges its jobs: `metric`, `mode`."""


class AskedRanking(NamedTuple):
    """What was asked for.

    Attributes:
        metric: the metric; None for none.
        mode: which value is the best; None for what can be known.
        average_over: the keys of overrides that settings are averaged over; empty if jobs are ranked one by one.
        rank_by: by what of a setting.
    """

    metric: str | None = None
    mode: Best | None = None
    average_over: tuple[str, ...] = ()
    rank_by: RankBy = "mean"


def ranking_on_record(run: RunRecord) -> AskedRanking:
    """What `results_aggregator_callback` was asked for, as the record tells; a journal may be anybody's.

    Where it was asked for no metric, it is that of `keep_best_callback`.
    """
    said, kept_by = (fact if isinstance(fact, dict) else {} for fact in map(run.facts.get, (FACT, KEPT_BY)))
    by = said if isinstance(said.get("metric"), str) else kept_by
    metric, mode = by.get("metric"), by.get("mode")
    over, rank_by = said.get("average_over"), said.get("rank_by")
    return AskedRanking(
        metric if isinstance(metric, str) else None,
        mode if mode in get_args(Best) else None,
        tuple(key for key in over if isinstance(key, str)) if isinstance(over, list) else (),
        next((each for each in RANK_BY if each == rank_by), "mean"),
    )


def ranking_asked(
    run: RunRecord,
    metric: str | None = None,
    mode: Best | None = None,
    over: Sequence[str] = (),
    rank_by: RankBy | None = None,
) -> AskedRanking:
    """How a run is to be ranked: as it is asked for now, else as its record says.

    Args:
        run: the run.
        metric: the metric; None for the one on record.
        mode: which value is the best; None for what is on record of that metric.
        over: the keys to average over; empty for those on record.
        rank_by: by what of a setting; None for what is on record.
    """
    known = ranking_on_record(run)
    same = metric in (None, known.metric)
    return AskedRanking(
        metric or known.metric,
        mode or (known.mode if same else None),
        tuple(over) or known.average_over,
        rank_by or known.rank_by,
    )


def unknown_key(jobs: Sequence[JobRecord], over: Sequence[str]) -> str:
    """What to say where no job was given one of the keys to average over.

    Returns:
        Empty where each of them is one, or where no job has started.
    """
    if not over or not jobs:
        return ""
    given = sorted({override_key(override) for job in jobs for override in of_the_app(job.task_overrides)})
    for key in over:
        if key not in given:
            hint = wording.did_you_mean(key, given)
            return f"average_over names {key!r}, which no job was given.{hint} Overrides are: {', '.join(given) or 'none'}."
    return ""
