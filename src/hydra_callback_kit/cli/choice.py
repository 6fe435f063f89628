"""Which runs of a folder, or which jobs of a run, were asked for: `--since`, `--status` and `--where`."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final, NamedTuple, TypeVar, get_args

import click

from hydra_callback_kit.cli.completion import complete_compared
from hydra_callback_kit.cli.since import since
from hydra_callback_kit.journal.format import Status
from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.views.comparisons import Comparison, ComparisonError, comparison, is_override

Command = TypeVar("Command", bound=Callable[..., Any])

_EARLIER: Final = timedelta(days=1)
"""By how much a run's id may be older than its start: far less."""


class Choice(NamedTuple):
    """What was asked for; all of it must hold.

    Attributes:
        since: what has started since then; None for all.
        statuses: what stands like this; empty for all.
        where: the comparisons that hold.
    """

    since: datetime | None = None
    statuses: tuple[Status, ...] = ()
    where: tuple[Comparison, ...] = ()

    @property
    def oldest(self) -> str:
        """What the id of a run that has started since then does not come before."""
        if self.since is None or self.since.year < 1000 + _EARLIER.days:  # an id has four digits for it
            return ""
        return f"{self.since.astimezone(timezone.utc) - _EARLIER:%Y%m%dT%H%M%S}"

    def takes(self, each: RunRecord | JobRecord) -> bool:
        """Whether a run or a job has started since then, and stands like this."""
        if self.statuses and each.status not in self.statuses:
            return False
        return self.since is None or (each.started_at is not None and datetime.fromisoformat(each.started_at) >= self.since)

    def meeting(self, jobs: Iterable[JobRecord]) -> list[JobRecord]:
        """The jobs for which all comparisons hold."""
        return [job for job in jobs if all(each.holds(job) for each in self.where)]

    def of_run(self, jobs: Sequence[JobRecord]) -> list[JobRecord]:
        """The jobs that are shown of a single run."""
        return [job for job in self.meeting(jobs) if self.takes(job)]

    def parted(self, jobs: Sequence[JobRecord]) -> tuple["Choice", tuple[Comparison, ...]]:
        """What chooses jobs before they are averaged; and the comparisons of metrics, which settings have to meet.

        Args:
            jobs: all jobs of the run.
        """
        of_overrides = tuple(each for each in self.where if is_override(jobs, each.name))
        return self._replace(where=of_overrides), tuple(each for each in self.where if each not in of_overrides)

    def __str__(self) -> str:
        """In words, behind `No run` and `No job`: ` is FAILED and has accuracy>0.9`."""
        said = [f"is {' or '.join(self.statuses)}"] if self.statuses else []
        if self.since is not None:
            said.append(f"has started since {self.since.astimezone():%Y-%m-%d %H:%M:%S}")
        said += [f"has {each.text}" for each in self.where]
        return f" {' and '.join(said)}"


def choice_options(command: Command) -> Command:
    """The options `--since`, `--status` and `--where`; see `choice_of`."""
    when = "What has started since then: 30min, 2h, 3d, 2w ago, or a date or an ISO time, local."
    how = "What stands like this; may be given again."
    where = "Where a metric or an override compares like this: 'accuracy>0.9', model=cnn. May be given again: all must hold."
    statuses = [status.lower() for status in get_args(Status)]
    command = click.option(
        "--where", "where", metavar="COMPARISON", multiple=True, help=where, shell_complete=complete_compared
    )(command)
    command = click.option(
        "--status", "statuses", type=click.Choice(statuses, case_sensitive=False), multiple=True, help=how
    )(command)
    return click.option("--since", "since_text", metavar="TIME", help=when)(command)


def choice_of(since_text: str | None, statuses: Sequence[str], where: Sequence[str]) -> Choice:
    """Reads these options.

    Raises:
        click.UsageError: if one of them cannot be read.
    """
    try:
        comparisons = tuple(map(comparison, where))
    except ComparisonError as error:
        raise click.UsageError(f"--where: {error}") from None
    asked = {status.upper() for status in statuses}
    return Choice(
        None if since_text is None else since(since_text),
        tuple(status for status in get_args(Status) if status in asked),
        comparisons,
    )
