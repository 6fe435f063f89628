"""Whether the files that sum a sweep up still say what there is to say: jobs may outlive the process that has made them."""

from collections import Counter
from typing import Any, Final, NamedTuple

from hydra_callback_kit.journal.records import RunRecord
from hydra_callback_kit.journal.values import as_text

MADE_BY: Final = "summaries"
"""The fact of a sweep whose jobs may outlive it that says what makes its summaries: a list of `class` and `parameters`."""

CALLBACKS: Final = ("ResultsAggregatorCallback", "ReportCallback", "PerformanceCallback")
"""The classes of this package that make them."""

MADE_OF: Final = "summed_up"
"""The fact that says how the jobs stood when the summaries were made last."""


class Stale(NamedTuple):
    """What is wrong with a sweep's summaries.

    Attributes:
        files: their names, relative to the run's directory or absolute.
        running: how many jobs were still going on when they were made; None if they were never made.
    """

    files: tuple[str, ...]
    running: int | None

    def __str__(self) -> str:
        """What is wrong, in words."""
        if self.running is None:
            return f"not made ({', '.join(self.files)}): the sweep's process ended before"
        went_on = f"while {self.running} still ran" if self.running else "before jobs ended"
        return f"out of date ({', '.join(self.files)}): made {went_on}"


def standing(run: RunRecord) -> dict[str, int]:
    """How the jobs of a run stand: how many there are of each status."""
    return dict(sorted(Counter(job.status.lower() for job in run.jobs).items()))


def stale_summaries(run: RunRecord) -> Stale | None:
    """Tells what is wrong with the summaries of a run; None where nothing is, or its own process is still to make them."""
    made_by, made_of, now = makers(run), run.facts.get(MADE_OF), standing(run)
    has_ended = run.ended_at is not None or run.status != "RUNNING"
    if not made_by or not has_ended or (made_of or {}) == now:
        return None
    files = tuple(name for _, parameters in made_by for name in summary_files(parameters))
    running = made_of.get("running", 0) if type(made_of) is dict else None
    return Stale(files, running if type(running) is int else None)


def makers(run: RunRecord) -> list[tuple[str, dict[str, Any]]]:
    """What makes the summaries of a sweep whose jobs may outlive it: the classes of this package, and their parameters."""
    stated = run.facts.get(MADE_BY)
    each = [one for one in stated if type(one) is dict] if type(stated) is list else []
    return [
        (one["class"], one["parameters"])
        for one in each
        if one.get("class") in CALLBACKS and type(one.get("parameters")) is dict
    ]


def summary_files(parameters: dict[str, Any]) -> list[str]:
    """The files that a callback with these parameters makes, by the parameter that names them."""
    named = parameters.get("output_file")
    return [as_text(name) for name in (named if type(named) is list else [] if named is None else [named])]
