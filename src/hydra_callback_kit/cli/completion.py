"""Completion in the shell: what stands in the journals. It is bounded in time, and prints nothing but what is offered.

Offered are only names that a shell takes as they are: a journal may be anybody's.
"""

import contextlib
import io
import itertools
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hydra_callback_kit.journal.finder import enclosing_run, look_into
from hydra_callback_kit.journal.fold import RunFold
from hydra_callback_kit.journal.format import CONFIGS
from hydra_callback_kit.journal.journal_lines import files_by_run, lines_in, names_by_run
from hydra_callback_kit.journal.life import HERE
from hydra_callback_kit.journal.line import BrokenLineError, parse_line
from hydra_callback_kit.journal.reader import is_run_id, last_run_id
from hydra_callback_kit.journal.records import JobRecord
from hydra_callback_kit.remote.store import is_url
from hydra_callback_kit.views.comparisons import names_known

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

WITHIN_S: Final = 0.5
"""Seconds for which is looked for directories, and again for names in journals."""

MOST: Final = 200
"""Names that are offered."""

MOST_RUNS: Final = 20
"""Runs of a folder whose names are offered."""

_SAFE: Final = re.compile(r"[\w./@:+,=%^-]+")
"""Characters that are no shell's, and none that bash splits the lines of an answer at."""

_Complete = Callable[[click.Context, click.Parameter, str], "list[str]"]


def _quiet(complete: Callable[[click.Context, str], Iterable[str]]) -> _Complete:
    """Makes a completion that says nothing where something is wrong: it would stand in the middle of the command line."""

    def completed(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  click's own
        with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()):
            offered = (name for name in complete(ctx, incomplete) if name.startswith(incomplete) and _SAFE.fullmatch(name))
            return list(itertools.islice(offered, MOST))
        return []

    return completed


@_quiet
def complete_run_id(ctx: click.Context, _: str) -> Iterable[str]:
    """The ids of the runs in the directory that PATH means, the latest first."""
    named = (sorted(names_by_run(directory), reverse=True) for directory in _directories(ctx)[:1])
    return filter(is_run_id, itertools.chain.from_iterable(named))


@_quiet
def complete_metric(ctx: click.Context, _: str) -> Iterable[str]:
    """The names of the metrics of the runs that PATH means."""
    return names_known(_jobs(ctx))[0]


@_quiet
def complete_override(ctx: click.Context, _: str) -> Iterable[str]:
    """The keys of the overrides of the runs that PATH means."""
    return names_known(_jobs(ctx))[1]


@_quiet
def complete_compared(ctx: click.Context, _: str) -> Iterable[str]:
    """What may stand on the left of a comparison: metrics and overrides."""
    metrics, keys = names_known(_jobs(ctx))
    return [*metrics, *keys]


@_quiet
def complete_path(_: click.Context, incomplete: str) -> Iterable[str]:
    """The directories that hold runs and, with a slash behind them, those that lead to runs."""
    until_s = time.monotonic() + WITHIN_S
    above, slash, _name = incomplete.rpartition("/")
    found = [name for name in _leading_to_runs(above + slash, until_s) if name.startswith(incomplete)]
    while len(found) == 1 and found[0].endswith("/"):  # the shell would take a single one for the whole word
        found = _leading_to_runs(found[0], until_s)
    return found


class RunPath(click.Path):
    """A path that leads to a run, as `click.Path` takes it, with `complete_path`; or a URL, of which a copy is read.

    Args:
        here: whether it must lie here: no URL is taken.
        given: what `click.Path` takes.
    """

    def __init__(self, *, here: bool = False, **given: Any) -> None:
        super().__init__(**given)
        self._here = here

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """See `click.ParamType.convert`."""
        if not is_url(value):
            return super().convert(value, param, ctx)
        if self._here:
            raise click.UsageError("This command needs the run's own directory, and no URL.", ctx)
        from hydra_callback_kit.cli.copied import copied  # noqa: PLC0415  most runs lie here

        return copied(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """See `click.ParamType.shell_complete`."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  only the shell needs it

        return [CompletionItem(path) for path in complete_path(ctx, param, incomplete)]


def _leading_to_runs(start: str, until_s: float) -> list[str]:
    """The directories in one that hold runs and, with a slash, those that lead to runs; the last by its name comes first."""
    offered = []
    for path in sorted([*look_into(start or ".")[0], *_links_in(start or ".")], reverse=True):
        name = f"{start}{os.path.basename(path)}"  # noqa: PTH119  as it was typed
        if look_into(path)[1]:
            offered.append(name)
        elif os.path.islink(path):  # noqa: PTH114  the same
            continue  # what lies behind it is found where it lies
        elif next(_runs_below(path, until_s), None) is not None or time.monotonic() > until_s:  # it may lead to one
            offered.append(f"{name}/")
    return offered


def _links_in(directory: str) -> list[str]:
    """The links in a directory, such as `latest`."""
    with os.scandir(directory) as entries:
        return [entry.path for entry in entries if entry.is_symlink() and not entry.name.startswith(".")]


def _runs_below(folder: str, until_s: float) -> Iterator[Path]:
    """The directories with a journal at a folder and below it, the last by their names first, as far as there is time."""
    waiting = [folder]
    while waiting and time.monotonic() < until_s:
        directory = waiting.pop()
        inside, holds_journal = look_into(directory)
        if holds_journal:
            yield Path(directory)
        waiting += sorted(inside)


def _directories(ctx: click.Context) -> list[Path]:
    """The directories of the runs that are meant by what stands on the command line so far, the latest first."""
    given = ctx.params.get("path") or ctx.params.get("paths") or ()
    # click leaves the arguments unread before an option whose value is still to come
    paths = [Path(path) for path in (given if isinstance(given, tuple) else [given]) or ctx.args[:1]]
    found = []
    for path in paths or [Path.cwd()]:
        until_s = time.monotonic() + WITHIN_S
        below = [path] if look_into(os.fspath(path))[1] else _runs_below(os.fspath(path), until_s)
        found += sorted(below, key=last_run_id, reverse=True)
    if paths:
        return found
    above = None if found else enclosing_run(Path.cwd())
    return found[:1] if above is None else [above]


def _jobs(ctx: click.Context) -> list[JobRecord]:
    """The jobs of the latest run of each of these directories, as far as there is time to read them."""
    directories = _directories(ctx)
    until_s = time.monotonic() + WITHIN_S
    return [job for directory in directories[:MOST_RUNS] for job in _jobs_in(directory, until_s)]


def _jobs_in(directory: Path, until_s: float) -> Iterable[JobRecord]:
    run_id = last_run_id(directory)
    fold = RunFold(run_id, CONFIGS)
    for file in files_by_run(directory).get(run_id, ()):
        for _, text, _ in lines_in(file):
            if time.monotonic() > until_s:
                break
            with contextlib.suppress(BrokenLineError):
                fold.add(parse_line(text))
    return fold.record(directory, (), HERE).jobs
