"""The page: puts together what its parts say, and writes it as one file."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from hydra_callback_kit.journal.records import JobRecord, RunRecord
from hydra_callback_kit.journal.values import as_text
from hydra_callback_kit.views import wording
from hydra_callback_kit.views.asked_ranking import AskedRanking, unknown_key
from hydra_callback_kit.views.files import put_in_place, put_where_told
from hydra_callback_kit.views.metrics import metric_names
from hydra_callback_kit.views.report.best_config import BestConfig, best_config
from hydra_callback_kit.views.report.choice import ReportOptions, choose_metric, ranking_of
from hydra_callback_kit.views.report.columns import links
from hydra_callback_kit.views.report.contents import Contents
from hydra_callback_kit.views.report.libraries import PLOTLY_FILE, plotly_javascript
from hydra_callback_kit.views.report.overview import BestJob, best_of, facts_of, front_of, notices_of, outcome_of
from hydra_callback_kit.views.report.profiled import profile_links
from hydra_callback_kit.views.report.script import ASSETS, data_script, library_script, own_script
from hydra_callback_kit.views.report.settings_part import Settings
from hydra_callback_kit.views.report.single import single_of
from hydra_callback_kit.views.report.template import page_template
from hydra_callback_kit.views.report.together import SeveralRuns, run_of, sweeps_of
from hydra_callback_kit.views.seal import is_as_sealed, write_sealed

GENERATOR: Final = "hydra-callback-kit report"
_BLOCK: Final = 1 << 16


def write_report(
    path: Path, run: RunRecord, options: ReportOptions, *, is_named: bool = False, redaction: Any = None
) -> dict[Path, Path]:
    """Writes the report, and plotly's JavaScript beside it if the page has plots and it is not to be inside.

    The page is never held as a whole.

    Args:
        path: the HTML file; missing directories are made.
        run: the run; its jobs' configs are not needed.
        options: what is asked for.
        is_named: whether a person has named the file, which is written over then.
        redaction: a `Redaction` that knows the run's secrets, for the log of a single run; None to learn them from what
            Hydra has saved.

    Returns:
        What lay in a file's place and is not as it was written here: its place, and the name under which it is kept.

    Raises:
        OSError: if it cannot be written; what was there before is unchanged then, or kept.
        ModuleNotFoundError: if jinja2 is not installed, or plotly is not and the page has plots.
    """
    page = Page(run, options, path.parent, redaction=redaction)
    plotly = plotly_javascript() if page.contents.drawn else None
    beside = options.plotly_js == "directory"
    kept: dict[Path, Path] = {}
    with put_where_told(path) if is_named else put_in_place(path, is_as_sealed, kept.__setitem__) as temporary:
        write_sealed(temporary, _blocks(page.pieces(None if beside else plotly)), "<!--", "-->")
    if beside and plotly:
        with (
            plotly.open("rb") as script,
            put_in_place(path.with_name(PLOTLY_FILE), is_as_sealed, kept.__setitem__) as temporary,
        ):
            write_sealed(temporary, iter(lambda: script.read(_BLOCK), b""), "/*", "*/")
    return kept


def _blocks(pieces: Iterable[str]) -> Iterator[bytes]:
    """The pieces, of which a template has thousands, in fewer and larger ones."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            yield "".join(waiting).encode("utf-8", "backslashreplace")
            waiting, size = [], 0
    yield "".join(waiting).encode("utf-8", "backslashreplace")


class Page:
    """The page of a run.

    Args:
        run: the run.
        options: what is asked for.
        beside: the directory that the page will lie in, to which its links are relative.
        now: the time of writing; None for now.
        redaction: as for `write_report`.

    Attributes:
        contents: what is on it.
    """

    def __init__(
        self, run: RunRecord, options: ReportOptions, beside: Path, now: datetime | None = None, redaction: Any = None
    ) -> None:
        self._template = page_template()  # first, while the rest is not there: it takes some memory
        self._run, self._options, self._beside = run, options, beside
        self._now = now or datetime.now(timezone.utc).astimezone()
        self._names = metric_names(run.jobs)
        metric = choose_metric(run, self._names, options)
        self._not_found = None if metric or not run.count("COMPLETED") else options.metric
        self._metric = metric or choose_metric(run, self._names, replace(options, metric=None))
        # of several objectives no job is the best, unless one of them is asked for
        self._front = front_of(run, beside)
        self._one_best = self._front is None or options.metric is not None
        self._best = best_of(run.jobs, self._metric) if self._one_best else None
        shown = spread(run.jobs, options.max_table_rows, self._best.job if self._best else None)
        self._asked = asked = None if self._metric is None else ranking_of(run, options, self._metric)
        self._unknown_over = "" if asked is None else unknown_key(run.jobs, asked.average_over)
        self._settings = None
        if asked is not None and asked.average_over and not self._unknown_over and run.mode == "MULTIRUN":
            self._settings = Settings(run, asked, self._names, beside, one_best=self._one_best)
        self.contents = Contents(run, shown, self._metric, beside, self._now, self._settings, one_best=self._one_best)
        used, courses = self.contents.resources, self.contents.courses
        self._single = single_of(run, courses, used, redaction) if len(run.jobs) == 1 else None

    def pieces(self, plotly: Path | None) -> Iterator[str]:
        """Makes the page.

        Args:
            plotly: the file of plotly's JavaScript, to be part of the page; None where it lies beside it.

        Yields:
            HTML, piece by piece, that needs no network. Everything that comes from the run is escaped, and the page's own
            policy lets no script run but the page's own.
        """
        yield from self._template.generate(
            **self._words(),
            data=_ours(data_script(self.contents.data())),
            style=_ours([(ASSETS / "style.css").read_text("utf-8")]),
            script=_ours(own_script()),
            plotly=_ours(library_script(plotly)) if plotly else None,
            plotly_file=PLOTLY_FILE,
            nonce=secrets.token_urlsafe(16),
        )

    def _notices(self) -> list[str]:
        if not isinstance(self._run, SeveralRuns):
            return notices_of(self._run, self._not_found, self._names)
        own = [f"{name}: {notice}" for name, run in self._run.runs for notice in notices_of(run, None, ())]
        return [*own, *([wording.unknown_metric(self._not_found, self._names)] if self._not_found else [])]

    def _words(self) -> dict[str, Any]:
        run, best, contents, beside = self._run, self._best, self.contents, self._beside
        single = self._single
        return {
            "single": single,
            "title": self._options.title or as_text(run.facts.get("job_name") or "app"),
            "run": run,
            "counts": wording.counts_of(run),
            "facts": facts_of(run, self._now),
            "notices": [*self._notices(), *filter(None, [self._unknown_over])],
            "sweeps": sweeps_of(run, self._asked if self._one_best else None),
            "best": best,
            "best_link": best and links([best.job], run.root, beside)[0],
            "metric": self._metric,
            "front": self._front,
            "front_size": wording.jobs(len(self._front.jobs) + self._front.more) if self._front else "",
            "outcome": outcome_of(run.jobs[0]) if single else None,
            "outcome_link": contents.links[0] if single else None,
            "shown": contents.shown,
            "contents": contents,
            "settings": self._settings,
            "config": _config_of(run, best, self._settings, self._asked),
            "plain_rows": contents.plain_rows(),
            "gone": contents.gone(),
            "profiles": profile_links(run, beside),
            "written": f"{self._now:%Y-%m-%d %H:%M:%S %Z}",
            "generator": GENERATOR,
        }


def _config_of(
    run: RunRecord, best: BestJob | None, settings: Settings | None, asked: AskedRanking | None
) -> BestConfig | None:
    """That of the best setting, else of the best job; of a single run its own."""
    if settings and settings.best and asked:
        jobs = settings.best.setting.completed
        return best_config(run_of(run, jobs[0]), jobs, asked.average_over)
    job = run.jobs[0] if len(run.jobs) == 1 else best.job if best else None
    return None if job is None else best_config(run_of(run, job), [job])


def _ours(pieces: Iterable[str]) -> Iterator[Any]:
    """Marks what is not to be escaped: it is our own, plotly's, or was escaped for where it stands."""
    from markupsafe import Markup  # noqa: PLC0415  an extra

    return map(Markup, pieces)


def spread(jobs: Sequence[JobRecord], rows: int, best: JobRecord | None) -> list[JobRecord]:
    """Chooses the jobs that are spelled out: all, or so many spread evenly over the sweep, the best among them.

    Args:
        jobs: the jobs.
        rows: how many may be shown.
        best: the best job, if there is one.
    """
    if len(jobs) <= rows:
        return list(jobs)
    step = len(jobs) / rows
    places = [int(step * place) for place in range(rows)]
    where = next((place for place, job in enumerate(jobs) if job is best), None)
    if where is not None and where not in places:
        places[min(int(where / step), rows - 1)] = where
    return [jobs[place] for place in places]
